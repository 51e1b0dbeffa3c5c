/* c-client SCENARIO [ARGUMENT...]: the functions of pm.h, as a C99 program sees them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pm.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition)                                                                                         \
  do {                                                                                                           \
    if (!(condition)) {                                                                                          \
      fprintf(stderr, "%s:%d: %s (last error: %s)\n", __FILE__, __LINE__, #condition, pm_last_error()->message); \
      exit(1);                                                                                                   \
    }                                                                                                            \
  } while (0)

static char **arguments;

static pm_registry *opened(unsigned flags) {
  pm_registry *registry;
  CHECK(pm_open(&registry, NULL, flags) == 0);
  return registry;
}
static struct pm_query named(char const *service) {
  struct pm_query query;
  memset(&query, 0, sizeof query);
  query.service = service;
  return query;
}
static int seen(pm_registry *registry, char const *service) {
  struct pm_query query = named(service);
  int const count = pm_find(registry, &query);
  CHECK(count >= 0);
  return count;
}
static int add(pm_registry *registry, char const *name, char const *address) {
  struct pm_service service = {name, address, 0};
  return pm_register(registry, &service, 1, 0, 10000, -1);
}
/* Whether a call failed with this result, and the last error has it and a text. */
static int failed(int result, int expected) {
  struct pm_error const *error = pm_last_error();
  if (result != expected) fprintf(stderr, "result %d, expected %d: %s\n", result, expected, error->message);
  return result == expected && error->result == expected && error->message[0];
}
static int readable(int fd, int timeout) {
  struct pollfd one = {fd, POLLIN, 0};
  return poll(&one, 1, timeout) == 1;
}
/* A pipe that is readable. */
static int ready_pipe(void) {
  int fds[2];
  CHECK(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
  return fds[0];
}
/* The result of a call on a handle of PM_NONBLOCK, which must not wait itself. */
static int finished(pm_registry *registry, int result) {
  CHECK(result == PM_PENDING);
  while ((result = pm_finish(registry)) == PM_PENDING) CHECK(readable(pm_fd(registry), 10000));
  return result;
}
static int listening(char const *path) {
  struct sockaddr_un name;
  int const fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  memset(&name, 0, sizeof name);
  name.sun_family = AF_UNIX;
  if (path) strncpy(name.sun_path, path, sizeof name.sun_path - 1);
  CHECK(bind(fd, (struct sockaddr *)&name, path ? sizeof name : sizeof name.sun_family) == 0 && listen(fd, 16) == 0);
  return fd;
}

static void registers(void) {
  pm_registry *registry = opened(0), *other = opened(0);
  struct pm_service two[] = {{"a", "tcp:127.0.0.1:80", 3}, {"b", "none", 0}};
  struct pm_query query = named("a");
  struct pm_registration const *one;
  char text[32];
  int number, fd = listening(NULL);
  number = pm_register(registry, two, 2, PM_EXCLUSIVE | PM_PUBLIC, 10000, -1);
  CHECK(number > 0 && seen(other, "a") == 1 && seen(other, "b") == 1);
  CHECK(pm_find(other, &query) == 1 && (one = pm_result(other, 0)) && !pm_result(other, 1));
  CHECK(!strcmp(one->service, "a") && !strcmp(one->netid, "tcp") && !strcmp(one->address, "tcp:127.0.0.1:80") &&
        one->version == 3);
  CHECK(one->process == getpid() && one->user == geteuid() && one->flags == (PM_EXCLUSIVE | PM_PUBLIC) && one->id[0] &&
        one->executable[0]);
  CHECK(failed(pm_register(other, two, 2, 0, 10000, -1), PM_CONFLICT) && pm_last_error()->index == 0);
  CHECK(failed(pm_register(other, two, 1, 64, 10000, -1), PM_INVALID_PARAMETER));
  two[1].name = "not a name";
  CHECK(failed(pm_register(other, two, 2, 0, 10000, -1), PM_BAD_NAME) && pm_last_error()->index == 1);
  two[1].name = "c";
  two[1].address = "tcp:x";
  CHECK(failed(pm_register(other, two, 2, 0, 10000, -1), PM_BAD_ADDRESS) && pm_last_error()->index == 1);
  snprintf(text, sizeof text, "fd:%d", fd);
  CHECK(add(other, "socket", text) > 0 && seen(registry, "socket") == 1);
  CHECK(failed(add(other, "socket", "fd:999"), PM_BAD_ADDRESS) && pm_last_error()->code == EBADF);
  /* One of two, then the rest. */
  CHECK(pm_release(registry, number, "b", NULL, 10000, -1) == 1 && seen(other, "b") == 0 && seen(other, "a") == 1);
  CHECK(failed(pm_release(registry, number, "b", NULL, 10000, -1), PM_NOT_FOUND));
  CHECK(pm_release(registry, 0, NULL, "tcp:127.0.0.1:80", 10000, -1) == 1 && seen(other, "a") == 0);
  CHECK(failed(pm_release(registry, number, NULL, NULL, 10000, -1), PM_NOT_FOUND));
  CHECK(pm_register(registry, two, 0, 0, 10000, -1) > 0);
  pm_close(other);
  CHECK(seen(registry, "socket") == 0);
  pm_close(registry);
  pm_close(NULL);
  CHECK(failed(pm_open(&registry, "/nonexistent", 0), PM_SYSTEM) && !registry && pm_last_error()->code == ENOENT);
  CHECK(failed(add(NULL, "a", "none"), PM_INVALID_STATE) && !pm_result(NULL, 0));
}

static void queries(void) {
  pm_registry *registry = opened(0);
  struct pm_service three[] = {{"a", "tcp:127.0.0.1:80", 1}, {"a", "udp:127.0.0.1:80", 2}, {"b", "none", 0}};
  struct pm_query all = named(NULL), query = named("a");
  uid_t users[17] = {4242, 0};
  users[1] = geteuid();
  CHECK(pm_register(registry, three, 3, 0, 10000, -1) > 0);
  CHECK(pm_find(registry, &all) >= 3);
  query.flags = PM_OF_VERSION;
  CHECK(pm_find(registry, &query) == 0);
  query.version = 2;
  CHECK(pm_find(registry, &query) == 1 && !strcmp(pm_result(registry, 0)->netid, "udp"));
  all.flags = PM_OF_VERSION | PM_ANYONE;
  all.version = 2;
  all.netid = "tcp";
  CHECK(pm_find(registry, &all) == 0);
  query = named("a");
  query.users = users;
  query.user_count = 1;
  CHECK(pm_find(registry, &query) == 0);
  query.user_count = 2;
  CHECK(pm_find(registry, &query) == 2);
  query.user_count = 0;
  CHECK(failed(pm_find(registry, &query), PM_INVALID_PARAMETER));
  query.user_count = 17;
  CHECK(failed(pm_find(registry, &query), PM_INVALID_PARAMETER));
  query = named("a");
  query.netid = "ipx";
  CHECK(failed(pm_find(registry, &query), PM_BAD_ADDRESS));
  query.netid = NULL;
  query.flags = PM_EXCLUSIVE;
  CHECK(failed(pm_find(registry, &query), PM_INVALID_PARAMETER) && failed(pm_find(registry, NULL), PM_INVALID_PARAMETER));
  query = named("a/b");
  CHECK(failed(pm_find(registry, &query), PM_BAD_NAME));
  pm_close(registry);
}

static void announces(void) {
  pm_registry *registry = opened(0);
  char path[4096], own[4096];
  int deleted = 7;
  ssize_t const size = readlink("/proc/self/exe", own, sizeof own - 1);
  CHECK(size > 0);
  own[size] = 0;
  CHECK(failed(pm_executable(registry, getpid(), path, sizeof path, NULL), PM_NOT_FOUND));
  CHECK(failed(pm_withdraw(registry, 10000, -1), PM_NOT_FOUND));
  CHECK(pm_announce(registry, 10000, -1) == 0 && pm_announce(registry, 10000, -1) == 0);
  CHECK(pm_executable(registry, getpid(), path, sizeof path, &deleted) == size && !deleted && !strcmp(path, own));
  CHECK(pm_executable(registry, getpid(), path, 3, NULL) == size && strlen(path) == 2 &&
        pm_executable(registry, getpid(), NULL, 0, NULL) == size);
  CHECK(pm_withdraw(registry, 10000, -1) == 0);
  CHECK(failed(pm_executable(registry, getpid(), path, sizeof path, NULL), PM_NOT_FOUND));
  pm_close(registry);
}

static void connects(void) {
  pm_registry *registry = opened(0);
  struct pm_query query = named("web");
  int const fd = listening(NULL);
  char text[32];
  int connection;
  CHECK(failed(pm_connect(registry, &query, 1000, -1), PM_NOT_FOUND));
  snprintf(text, sizeof text, "fd:%d", fd);
  CHECK(add(registry, "web", text) > 0);
  connection = pm_connect(registry, &query, 1000, -1);
  CHECK(connection >= 0 && fcntl(connection, F_GETFD) & FD_CLOEXEC && !strcmp(pm_result(registry, 0)->service, "web"));
  close(connection);
  query.service = NULL;
  CHECK(failed(pm_connect(registry, &query, 1000, -1), PM_INVALID_PARAMETER));
  close(fd);
  query.service = "web";
  CHECK(failed(pm_connect(registry, &query, 1000, -1), PM_SYSTEM) && pm_last_error()->code == ECONNREFUSED);
  pm_close(registry);
}

static void waits(void) {
  pm_registry *registry = opened(0), *other = opened(0);
  struct pm_query both[2];
  int fds[2];
  pid_t child;
  both[0] = named("a");
  both[1] = named("b");
  CHECK(failed(pm_wait(registry, PM_UP, both, 1, 0, 0, -1), PM_TIMEOUT) &&
        failed(pm_wait(registry, PM_UP, both, 1, 0, 20, -1), PM_TIMEOUT));
  CHECK(failed(pm_wait(registry, PM_UP, both, 2, 0, -1, ready_pipe()), PM_CANCELLED) && seen(registry, "a") == 0);
  CHECK(pm_wait(registry, PM_DOWN, both, 2, 0, 1000, -1) == 0);
  CHECK(add(other, "a", "none") > 0);
  CHECK(pm_wait(registry, PM_UP, both, 1, 0, 1000, -1) == 1 && !strcmp(pm_result(registry, 0)->service, "a"));
  CHECK(failed(pm_wait(registry, PM_UP, both, 2, 0, 20, -1), PM_TIMEOUT) &&
        pm_wait(registry, PM_UP, both, 2, PM_ANY, 1000, -1) == 1);
  CHECK(failed(pm_wait(registry, PM_NOTIFIED, both, 1, 0, 0, -1), PM_INVALID_PARAMETER));
  CHECK(failed(pm_wait(registry, PM_UP, both, 0, 0, 0, -1), PM_INVALID_PARAMETER));
  /* Another process registers it while this one waits, and ends. */
  CHECK(pipe(fds) == 0 && (child = fork()) >= 0);
  if (child == 0) {
    pm_registry *own = opened(0);
    char byte;
    CHECK(add(own, "b", "none") > 0 && read(fds[0], &byte, 1) == 1);
    pm_close(own);
    _exit(0);
  }
  CHECK(pm_wait(registry, PM_UP, both, 2, 0, 10000, -1) == 2);
  CHECK(write(fds[1], "x", 1) == 1 && pm_wait(registry, PM_DOWN, both + 1, 1, 0, 10000, -1) == 0);
  CHECK(waitpid(child, NULL, 0) == child);
  pm_close(registry);
  pm_close(other);
}

static void watches(void) {
  pm_registry *registry = opened(0), *other = opened(0);
  pm_watch *watch;
  struct pm_event event;
  struct pm_query query = named("web"), everything = named(NULL);
  struct pm_service udp = {"web", "udp:127.0.0.1:53", 0};
  int web, all, dir, number, i;
  CHECK(add(other, "web", "tcp:127.0.0.1:80") > 0);
  CHECK(pm_watch_open(&watch) == 0 && pm_watch_next(watch, &event, 0, -1) == 0 && !readable(pm_watch_fd(watch), 0));
  query.netid = "tcp";
  web = pm_watch_services(watch, registry, &query, 10000, -1);
  CHECK(web == 0 && pm_watch_next(watch, &event, 0, -1) == 1 && event.kind == PM_UP && event.source == web && event.fd == -1);
  CHECK(!strcmp(event.registration->address, "tcp:127.0.0.1:80") && pm_watch_next(watch, &event, 0, -1) == 0);
  /* The watch outlives the handle that it was opened with. */
  pm_close(registry);
  number = pm_register(other, &udp, 1, 0, 10000, -1);
  CHECK(number > 0 && pm_watch_next(watch, &event, 0, -1) == 0);
  CHECK(add(other, "web", "tcp:127.0.0.1:81") > 0 && readable(pm_watch_fd(watch), 10000));
  CHECK(pm_watch_next(watch, &event, -1, -1) == 1 && event.kind == PM_UP &&
        !strcmp(event.registration->address, "tcp:127.0.0.1:81"));
  all = pm_watch_services(watch, other, &everything, 10000, -1);
  CHECK(all == 1);
  for (i = 0; i < 3; ++i) CHECK(pm_watch_next(watch, &event, 0, -1) == 1 && event.source == all && event.kind == PM_UP);
  CHECK(pm_watch_next(watch, &event, 0, -1) == 0 && pm_release(other, number, NULL, NULL, 10000, -1) == 1);
  CHECK(pm_watch_next(watch, &event, 10000, -1) == 1 && event.source == all && event.kind == PM_DOWN &&
        !strcmp(event.registration->netid, "udp"));
  CHECK(failed(pm_watch_next(watch, &event, -1, ready_pipe()), PM_CANCELLED));
  /* A fifodir in the same watch: one expression, several answers in one message. */
  CHECK(mkdir("fifodir", 0700) == 0 && pm_notify("fifodir", "a", 1) == 0);
  dir = pm_watch_fifodir(watch, "fifodir", "a[0-9]+;");
  CHECK(dir == 2 && pm_notify("fifodir", "xa1;yya22;a", 11) == 1);
  CHECK(pm_watch_next(watch, &event, 10000, -1) == 1 && event.kind == PM_NOTIFIED && event.source == dir && event.size == 3 &&
        !strcmp(event.text, "a1;"));
  CHECK(pm_watch_next(watch, &event, 0, -1) == 1 && !strcmp(event.text, "a22;") && pm_watch_next(watch, &event, 0, -1) == 0);
  CHECK(pm_notify("fifodir", "333;", 4) == 1 && pm_watch_next(watch, &event, 10000, -1) == 1 && !strcmp(event.text, "a333;"));
  CHECK(failed(pm_watch_fifodir(watch, "fifodir", "(("), PM_INVALID_PARAMETER) &&
        failed(pm_watch_fifodir(watch, "none", "a"), PM_SYSTEM));
  CHECK(failed(pm_notify("none", "a", 1), PM_SYSTEM) && failed(pm_notify("fifodir", "", 0), PM_INVALID_PARAMETER));
  /* An expression that matches no bytes: an event for each message. */
  CHECK(pm_watch_fifodir(watch, "fifodir", "x*") == 3 && pm_notify("fifodir", "ab", 2) == 2);
  CHECK(pm_watch_next(watch, &event, 10000, -1) == 1 && event.source == 3 && event.size == 0 &&
        pm_watch_next(watch, &event, 0, -1) == 0);
  CHECK(pm_notify("fifodir", "xx", 2) == 2 && pm_watch_next(watch, &event, 10000, -1) == 1 && !strcmp(event.text, "xx"));
  pm_watch_close(watch);
  pm_watch_close(NULL);
  CHECK(pm_notify("fifodir", "a", 1) == 0 && rmdir("fifodir") == 0);
  CHECK(pm_watch_open(&watch) == 0 && failed(pm_watch_services(watch, NULL, &query, 0, -1), PM_INVALID_STATE));
  pm_watch_close(watch);
  pm_close(other);
}

/* A handle of PM_NONBLOCK: a call that would wait does not, and the handle does nothing else meanwhile. */
static void nonblocking(void) {
  pm_registry *registry = opened(PM_NONBLOCK), *other = opened(0);
  struct pm_service service = {"web", "none", 0};
  struct pm_query query = named("late");
  struct pm_event event;
  pm_watch *watch;
  int number;
  CHECK(failed(pm_finish(registry), PM_INVALID_STATE) && failed(pm_fd(other), PM_INVALID_STATE));
  number = finished(registry, pm_register(registry, &service, 1, 0, 10000, -1));
  CHECK(number > 0 && seen(other, "web") == 1 && seen(registry, "web") == 1);
  CHECK(failed(pm_wait(registry, PM_UP, &query, 1, 0, 10000, -1), PM_PENDING) && failed(pm_finish(registry), PM_PENDING));
  CHECK(failed(pm_find(registry, &query), PM_INVALID_STATE) &&
        failed(pm_release(registry, number, NULL, NULL, 0, -1), PM_INVALID_STATE));
  CHECK(add(other, "late", "none") > 0 && readable(pm_fd(registry), 10000));
  CHECK(pm_finish(registry) == 1 && !strcmp(pm_result(registry, 0)->service, "late"));
  CHECK(finished(registry, pm_wait(registry, PM_DOWN, &query, 1, 0, 20, -1)) == PM_TIMEOUT && failed(PM_TIMEOUT, PM_TIMEOUT));
  CHECK(finished(registry, pm_announce(registry, 10000, -1)) == 0 && finished(registry, pm_withdraw(registry, 10000, -1)) == 0);
  CHECK(finished(registry, pm_connect(registry, &query, 1000, -1)) == PM_NOT_FOUND);
  CHECK(pm_watch_open(&watch) == 0 && finished(registry, pm_watch_services(watch, registry, &query, 10000, -1)) == 0);
  CHECK(pm_watch_next(watch, &event, 0, -1) == 1 && !strcmp(event.registration->service, "late"));
  pm_watch_close(watch);
  CHECK(finished(registry, pm_release(registry, number, NULL, NULL, 10000, -1)) == 1 && seen(other, "web") == 0);
  /* A handle and a watch are closed while they hold something, or a call is pending. */
  {
    pm_registry *holding = opened(PM_NONBLOCK);
    struct pm_error const *error = pm_last_error();
    CHECK(finished(holding, pm_register(holding, &service, 1, 0, 10000, -1)) > 0 &&
          finished(holding, pm_announce(holding, 10000, -1)) == 0);
    CHECK(failed(pm_find(NULL, &query), PM_INVALID_STATE));
    pm_close(holding);
    CHECK(error->result == PM_INVALID_STATE && seen(other, "web") == 0);
    holding = opened(PM_NONBLOCK);
    CHECK(pm_watch_open(&watch) == 0 && failed(pm_watch_services(watch, holding, &query, 10000, -1), PM_PENDING));
    CHECK(failed(pm_watch_next(watch, &event, 0, -1), PM_INVALID_STATE));
    pm_watch_close(watch);
    /* The handle goes on. */
    CHECK(!readable(pm_fd(holding), 0) && finished(holding, pm_register(holding, &service, 1, 0, 10000, -1)) > 0);
    pm_close(holding);
  }
  /* Closing ends what is pending. */
  CHECK(failed(pm_wait(registry, PM_DOWN, &query, 1, 0, -1, -1), PM_PENDING));
  pm_close(registry);
  /* So does its stop descriptor. */
  registry = opened(PM_NONBLOCK);
  {
    int fds[2];
    CHECK(pipe(fds) == 0 && failed(pm_wait(registry, PM_DOWN, &query, 1, 0, -1, fds[0]), PM_PENDING));
    CHECK(write(fds[1], "x", 1) == 1);
    CHECK(finished(registry, PM_PENDING) == PM_CANCELLED);
  }
  pm_close(registry);
  pm_close(other);
}

/* A worker of its own, to which this process hands descriptors over. */
static void passes(void) {
  pm_registry *registry = opened(PM_NONBLOCK);
  pm_watch *watch;
  struct pm_event event;
  char const *variables[] = {"PROTO=UNIX", "UNIXREMOTEEUID=7", NULL}, *wrong[] = {"PATH=/", NULL};
  int const fd = listening("worker");
  int fds[2], i;
  CHECK(pipe(fds) == 0 && pm_watch_open(&watch) == 0 && pm_watch_offers(watch, fd, NULL, 0) == 0);
  for (i = 0; i < 3; ++i) {
    CHECK(failed(pm_hand_over(registry, "worker", fds[1], i ? variables : NULL, NULL, 0, 10000, -1), PM_PENDING));
    CHECK(pm_watch_next(watch, &event, 10000, -1) == 1 && event.kind == PM_OFFERED && event.source == 0 && event.fd >= 0);
    CHECK(fcntl(event.fd, F_GETFD) & FD_CLOEXEC && write(event.fd, "hello", 5) == 5);
    CHECK(i == 0 ||
          (!strcmp(event.variables[0], variables[0]) && !strcmp(event.variables[1], variables[1]) && !event.variables[2]));
    close(event.fd);
    CHECK(finished(registry, PM_PENDING) == 0);
  }
  {
    char text[15];
    CHECK(read(fds[0], text, sizeof text) == 15);
  }
  CHECK(failed(pm_hand_over(NULL, "worker", fds[1], wrong, NULL, 0, 1000, -1), PM_INVALID_PARAMETER));
  CHECK(failed(pm_hand_over(NULL, "worker", 999, NULL, NULL, 0, 1000, -1), PM_SYSTEM) && pm_last_error()->code == EBADF);
  CHECK(failed(pm_hand_over(NULL, "nowhere", fds[1], NULL, NULL, 0, 1000, -1), PM_SYSTEM));
  /* Nothing answers: the time limit. */
  CHECK(failed(pm_hand_over(NULL, "worker", fds[1], NULL, NULL, 0, 50, -1), PM_TIMEOUT));
  pm_watch_close(watch);
  CHECK(pm_watch_open(&watch) == 0 && failed(pm_watch_offers(watch, fds[0], NULL, 0), PM_SYSTEM));
  pm_watch_close(watch);
  CHECK(!(fcntl(fd, F_GETFL) & O_NONBLOCK));
  pm_close(registry);
}

/* A release that fails leaves the registration to the handle. The lock of the registry, which is this process's own, is taken meanwhile. */
static void release_fails(void) {
  pm_registry *registry = opened(0);
  struct pm_service two[] = {{"a", "none", 0}, {"b", "none", 0}};
  char path[4096];
  int lock, number = pm_register(registry, two, 2, 0, 10000, -1);
  CHECK(number > 0);
  snprintf(path, sizeof path, "%s/lock", getenv("PM_REGISTRY"));
  lock = open(path, O_RDWR);
  CHECK(lock >= 0 && flock(lock, LOCK_EX) == 0);
  CHECK(failed(pm_release(registry, number, "b", NULL, 20, -1), PM_TIMEOUT) && seen(registry, "b") == 1);
  close(lock);
  CHECK(pm_release(registry, number, "b", NULL, 10000, -1) == 1 && seen(registry, "b") == 0 && seen(registry, "a") == 1);
  pm_close(registry);
}

/* Without descriptors, a worker's watch fails once, and goes on when there are some. */
static void no_descriptors(void) {
  pm_watch *watch;
  struct pm_event event;
  struct rlimit before, now;
  struct sockaddr_un name;
  int const fd = listening("worker"), client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), next = dup(0);
  CHECK(pm_watch_open(&watch) == 0 && pm_watch_offers(watch, fd, NULL, 0) == 0 && getrlimit(RLIMIT_NOFILE, &before) == 0);
  memset(&name, 0, sizeof name);
  name.sun_family = AF_UNIX;
  strcpy(name.sun_path, "worker");
  close(next);
  now = before;
  now.rlim_cur = 3;
  CHECK(connect(client, (struct sockaddr *)&name, sizeof name) == 0 && setrlimit(RLIMIT_NOFILE, &now) == 0);
  CHECK(failed(pm_watch_next(watch, &event, 0, -1), PM_SYSTEM) && pm_last_error()->code == EMFILE && event.source == 0);
  CHECK(pm_watch_next(watch, &event, 0, -1) == 0 && setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(readable(pm_watch_fd(watch), 10000) && pm_watch_next(watch, &event, 0, -1) == 0);
  close(client);
  pm_watch_close(watch);
}

/* A fifodir that is flooded keeps no event of another source away. */
static void is_fair(void) {
  pm_registry *registry = opened(0);
  pm_watch *watch;
  struct pm_event event;
  struct pm_query query = named("web");
  pid_t flooding;
  CHECK(mkdir("fifodir", 0700) == 0 && pm_watch_open(&watch) == 0 && pm_watch_fifodir(watch, "fifodir", "a") == 0);
  CHECK(pm_watch_services(watch, registry, &query, 10000, -1) == 1 && (flooding = fork()) >= 0);
  if (flooding == 0)
    for (;;) (void)pm_notify("fifodir", "aaaaaaaaaaaaaaaa", 16);
  CHECK(pm_watch_next(watch, &event, 10000, -1) == 1 && event.source == 0 && add(registry, "web", "none") > 0);
  do CHECK(pm_watch_next(watch, &event, 10000, -1) == 1);
  while (event.source == 0);
  CHECK(event.source == 1 && event.kind == PM_UP && kill(flooding, SIGKILL) == 0 && waitpid(flooding, NULL, 0) == flooding);
  pm_watch_close(watch);
  pm_close(registry);
}

/* The worker of the test: prints what is offered, and writes to it. ARGUMENT: the socket's path. */
static void works(void) {
  pm_watch *watch;
  struct pm_event event;
  CHECK(pm_watch_open(&watch) == 0 && pm_watch_offers(watch, listening(arguments[0]), NULL, 0) == 0);
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    CHECK(pm_watch_next(watch, &event, -1, -1) == 1);
    dprintf(event.fd, "served %s\n", event.variables[0] ? event.variables[0] : "without variables");
    close(event.fd);
  }
}

/* Prints the numbers of the sockets with the name in ARGUMENT; without one, of all. */
static void sockets(void) {
  size_t i;
  for (i = 0;; ++i) {
    int const fd = pm_listen_fd(arguments[0], i);
    if (fd < 0) break;
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    printf("%d\n", fd);
  }
  printf("%s\n", pm_last_error()->message);
}

/* A child of fork(2) can use nothing of its parent, and keeps nothing of it alive. */
static void forks(void) {
  pm_registry *registry = opened(0);
  struct pm_query query = named("web");
  struct pm_event event;
  pm_watch *watch;
  pid_t child;
  int status, fds[2];
  CHECK(mkdir("fifodir", 0700) == 0);
  CHECK(add(registry, "web", "none") > 0 && pm_watch_open(&watch) == 0 &&
        pm_watch_services(watch, registry, &query, 1000, -1) == 0);
  CHECK(pm_watch_fifodir(watch, "fifodir", "a") == 1 && pipe(fds) == 0 && (child = fork()) >= 0);
  if (child == 0) {
    char byte;
    CHECK(failed(pm_find(registry, &query), PM_FORKED) && failed(pm_watch_next(watch, &event, 0, -1), PM_FORKED));
    CHECK(failed(pm_release(registry, 0, NULL, NULL, 0, -1), PM_FORKED));
    pm_watch_close(watch);
    pm_close(registry);
    /* The parent ends its own: nothing in this process keeps a listener alive. */
    CHECK(read(fds[0], &byte, 1) == 1);
    CHECK(pm_notify("fifodir", "a", 1) == 0);
    _exit(0);
  }
  CHECK(seen(registry, "web") == 1 && pm_notify("fifodir", "a", 1) == 1);
  pm_watch_close(watch);
  CHECK(write(fds[1], "x", 1) == 1 && waitpid(child, &status, 0) == child && status == 0);
  pm_close(registry);
}

/* --- What the library leaves alone, with two threads that have a handle each */

static int stop_looking;
static int umask_seen_wrong;

static void *look_at_umask(void *unused) {
  (void)unused;
  while (!__atomic_load_n(&stop_looking, __ATOMIC_RELAXED)) {
    char line[128];
    FILE *const status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
      if (!strncmp(line, "Umask:", 6) && strtol(line + 6, NULL, 8) != 027)
        __atomic_store_n(&umask_seen_wrong, 1, __ATOMIC_RELAXED);
    if (status) fclose(status);
  }
  return NULL;
}

static void *register_and_follow(void *name) {
  int i;
  pm_registry *registry;
  pm_watch *watch;
  struct pm_event event;
  struct pm_query query = named(name);
  /* ARGUMENT: another registry for the second thread. */
  CHECK(pm_open(&registry, strcmp(name, "two") == 0 ? arguments[0] : NULL, 0) == 0);
  CHECK(pm_watch_open(&watch) == 0 && pm_watch_services(watch, registry, &query, 10000, -1) == 0);
  for (i = 0; i < 50; ++i) {
    int const number = add(registry, name, "none");
    CHECK(number > 0 && seen(registry, name) == 1);
    CHECK(pm_watch_next(watch, &event, 10000, -1) == 1 && event.kind == PM_UP && !strcmp(event.registration->service, name));
    CHECK(pm_release(registry, number, NULL, NULL, 10000, -1) == 1);
    CHECK(pm_watch_next(watch, &event, 10000, -1) == 1 && event.kind == PM_DOWN);
  }
  pm_watch_close(watch);
  pm_close(registry);
  return NULL;
}

static int handled;
static void handle(int signal) {
  (void)signal;
  ++handled;
}

static void threads(void) {
  pthread_t looker, one, two;
  char before[4096], after[4096], *variable = getenv("PM_REGISTRY");
  struct sigaction action, now;
  sigset_t mask, mask_now;
  memset(&action, 0, sizeof action);
  action.sa_handler = handle;
  CHECK(sigaction(SIGPIPE, &action, NULL) == 0 && sigaction(SIGCHLD, &action, NULL) == 0 && getcwd(before, sizeof before));
  CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
  umask(027);
  CHECK(pthread_create(&looker, NULL, look_at_umask, NULL) == 0);
  CHECK(pthread_create(&one, NULL, register_and_follow, "one") == 0 &&
        pthread_create(&two, NULL, register_and_follow, "two") == 0);
  CHECK(pthread_join(one, NULL) == 0 && pthread_join(two, NULL) == 0);
  __atomic_store_n(&stop_looking, 1, __ATOMIC_RELAXED);
  CHECK(pthread_join(looker, NULL) == 0 && !umask_seen_wrong && umask(027) == 027 && handled == 0);
  CHECK(getcwd(after, sizeof after) && !strcmp(before, after) && getenv("PM_REGISTRY") == variable);
  CHECK(sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == handle && sigaction(SIGCHLD, NULL, &now) == 0 &&
        now.sa_handler == handle);
  CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask_now) == 0 && !memcmp(&mask, &mask_now, sizeof mask));
}

/* Registers the service in ARGUMENT with the umask 077, and stays until its standard input ends. */
static void masked(void) {
  pm_registry *registry = opened(0);
  char byte;
  umask(077);
  CHECK(add(registry, arguments[0], "none") > 0);
  printf("registered\n");
  fflush(stdout);
  CHECK(read(0, &byte, 1) == 0 && umask(077) == 077);
  pm_close(registry);
}

static const struct {
  char const *name;
  void (*run)(void);
} scenarios[] = {{"registers", registers},
                 {"queries", queries},
                 {"announces", announces},
                 {"connects", connects},
                 {"waits", waits},
                 {"watches", watches},
                 {"nonblocking", nonblocking},
                 {"passes", passes},
                 {"works", works},
                 {"sockets", sockets},
                 {"forks", forks},
                 {"threads", threads},
                 {"masked", masked},
                 {"release-fails", release_fails},
                 {"no-descriptors", no_descriptors},
                 {"is-fair", is_fair}};

int main(int argc, char **argv) {
  size_t i;
  arguments = argv + (argc > 1 ? 2 : 1);
  for (i = 0; argc > 1 && i < sizeof scenarios / sizeof *scenarios; ++i)
    if (!strcmp(argv[1], scenarios[i].name)) {
      scenarios[i].run();
      return 0;
    }
  return 100;
}
