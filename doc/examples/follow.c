/*
 * An event loop that follows three services, and reads commands meanwhile. No call in it waits but poll(2).
 *
 *     cc follow.c $(pkg-config --cflags --libs libpm) -o follow
 *     ./follow www mail time
 */
#include <pm.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fail(void) {
  fprintf(stderr, "follow: %s\n", pm_last_error()->message);
  return 111;
}

/* Waits for the end of a call that a handle of PM_NONBLOCK has begun. A larger program would do its other work meanwhile. */
static int finish(pm_registry *registry, int result) {
  while (result == PM_PENDING) {
    struct pollfd one = {pm_fd(registry), POLLIN, 0};
    if (poll(&one, 1, -1) > 0) result = pm_finish(registry);
  }
  return result;
}

int main(int argc, char **argv) {
  static char const *const words[] = {"", "up", "down", "changed"};
  struct pm_query query;
  struct pm_event event;
  pm_registry *registry;
  pm_watch *watch;
  int up[3] = {0, 0, 0}, i, result;

  if (argc != 4) return 100;
  if (pm_open(&registry, NULL, PM_NONBLOCK) < 0 || pm_watch_open(&watch) < 0) return fail();
  memset(&query, 0, sizeof query);
  for (i = 0; i < 3; ++i) {
    query.service = argv[1 + i];
    if (finish(registry, pm_watch_services(watch, registry, &query, 10000, -1)) != i) return fail();
  }
  for (;;) {
    struct pollfd fds[2] = {{0, POLLIN, 0}, {0, POLLIN, 0}};
    char command[64] = "";
    ssize_t n;
    fds[1].fd = pm_watch_fd(watch);
    /* All events, before the next wait. */
    while ((result = pm_watch_next(watch, &event, 0, -1)) > 0) {
      if (event.kind != PM_CHANGED) up[event.source] += event.kind == PM_UP ? 1 : -1;
      printf("%s %s %s\n", words[event.kind], event.registration->service, event.registration->address);
    }
    fflush(stdout);
    if (result < 0) return fail();
    if (poll(fds, 2, -1) < 0 || !fds[0].revents) continue;
    n = read(0, command, sizeof command);
    if (n <= 0) break;
    if (strncmp(command, "status", 6) == 0)
      for (i = 0; i < 3; ++i) printf("%s: %d\n", argv[1 + i], up[i]);
  }
  pm_watch_close(watch);
  pm_close(registry);
  return 0;
}
