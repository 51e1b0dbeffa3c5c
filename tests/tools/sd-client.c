// sd-client WORD...: what a program does that uses libsystemd, a word after another:
//   ready, stopping, status=TEXT, watchdog: as sd_notify(3) sends it      barrier: sd_notify_barrier(3)
//   store=NAME: a memory file with this name as its text, FDSTORE=1       remove=NAME: FDSTOREREMOVE=1
//   usec: prints what sd_watchdog_enabled(3) returns
//   listen: prints the names and texts of sd_listen_fds_with_names(3)
//   main=PID: MAINPID                                                     hang: waits without end
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static void fail(char const *what, int code) {
  fprintf(stderr, "sd-client: %s: %d\n", what, code);
  exit(1);
}

static void store(char const *name) {
  char text[512];
  int const fd = memfd_create(name, MFD_CLOEXEC);
  if (fd < 0 || write(fd, name, strlen(name)) < 0) fail("memory", -1);
  snprintf(text, sizeof text, "FDSTORE=1\nFDNAME=%s", name);
  int const sent = sd_pid_notify_with_fds(0, 0, text, &fd, 1);
  if (sent <= 0) fail("store", sent);
  close(fd);
}

static void list(void) {
  char **names = NULL;
  int const count = sd_listen_fds_with_names(0, &names);
  if (count < 0) fail("listen", count);
  for (int i = 0; i < count; ++i) {
    char text[512];
    ssize_t const n = pread(SD_LISTEN_FDS_START + i, text, sizeof text, 0);
    printf("%s: %.*s\n", names[i], n < 0 ? 0 : (int)n, text);
  }
  fflush(stdout);
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; ++i) {
    char *const word = argv[i], *const value = strchr(word, '=') ? strchr(word, '=') + 1 : "";
    uint64_t usec = 0;
    int code = 1;
    if (!strcmp(word, "ready")) code = sd_notify(0, "READY=1");
    else if (!strcmp(word, "stopping")) code = sd_notify(0, "STOPPING=1");
    else if (!strncmp(word, "status=", 7)) code = sd_notifyf(0, "STATUS=%s", value);
    else if (!strncmp(word, "main=", 5)) code = sd_notifyf(0, "MAINPID=%s", value);
    else if (!strcmp(word, "watchdog")) code = sd_notify(0, "WATCHDOG=1");
    else if (!strcmp(word, "barrier")) code = sd_notify_barrier(0, 20000000);
    else if (!strncmp(word, "store=", 6)) store(value);
    else if (!strncmp(word, "remove=", 7)) code = sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", value);
    else if (!strcmp(word, "listen")) list();
    else if (!strcmp(word, "usec")) {
      code = sd_watchdog_enabled(0, &usec);
      printf("%d %llu\n", code, (unsigned long long)usec);
      fflush(stdout);
    } else if (!strcmp(word, "hang")) pause();
    else fail(word, 0);
    if (code <= 0) fail(word, code);
  }
  return 0;
}
