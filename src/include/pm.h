/*
 * libpm for C programs, and for every language that can call C: registering services, finding them, connecting to them, following
 * them, events in fifodirs, and descriptors from other processes. pm-library(7) explains it.
 *
 * Results: each function that returns an int returns 0 or a positive value if it succeeded, and one of the negative PM_
 * constants if not. Then pm_last_error() has the reason.
 *
 * Time limits: `timeout` is in milliseconds from the call; 0: the call does not wait; -1: no limit. When the descriptor `stop` is
 * readable, a call that waits ends with PM_CANCELLED; -1: none. A cancelled pm_register(), pm_release(), pm_connect(),
 * pm_announce() or pm_withdraw() closes the handle and ends all its registrations.
 *
 * Memory: the library copies what it is given. What it returns belongs to a handle, until the next call on that handle. A
 * descriptor that it returns is close-on-exec and belongs to the caller.
 *
 * Threads: handles are independent. One thread at a time uses a handle. The library never ends the process (but for abort(3) after a fault of its own), writes to standard
 * output or standard error, or changes the signals, the environment, the umask or the working directory of the process.
 *
 * Stability: a later version with the same soname has these functions, values and structs unchanged, and may have more of them.
 */
#ifndef PM_H
#define PM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Why a call failed. */
enum {
  PM_PENDING = -1,           /**< a call on a handle of PM_NONBLOCK goes on: wait for pm_fd(), then call pm_finish() */
  PM_TIMEOUT = -2,           /**< the time limit has passed */
  PM_CANCELLED = -3,         /**< the stop descriptor was readable */
  PM_INVALID_STATE = -4,     /**< a call is pending, or the handle is closed */
  PM_INVALID_PARAMETER = -5, /**< an argument is not valid */
  PM_REFUSED = -8,           /**< the worker did not take the descriptor */
  PM_SYSTEM = -18,           /**< a system call failed: its errno is `code` of pm_last_error() */
  PM_CONFLICT = -19,         /**< the same (name, version, netid, user) is registered, and that one or this one is exclusive */
  PM_PROCESS_LIMIT = -20,    /**< this process has reached its limit of registrations: `limit` */
  PM_USER_LIMIT = -21,       /**< this user has reached its limit of registrations or subscriptions: `limit` */
  PM_BATCH_LIMIT = -22,      /**< more registrations in one call than `limit` */
  PM_BAD_NAME = -23,         /**< not a valid name of a service */
  PM_BAD_ADDRESS = -24,      /**< not an address, or a descriptor without one */
  PM_RULE = -25,             /**< the rules of the registry's service do not allow this user the name */
  PM_NOT_FOUND = -26,        /**< there is no such registration, announcement or socket */
  PM_NOT_TRUSTED = -27,      /**< the server runs as a user that is not trusted: `server_user`; it is registered for `owner` */
  PM_FORKED = -28            /**< the handle belongs to the process that this one was forked from */
};

struct pm_error {
  int result;        /**< what the call returned */
  int code;          /**< errno of the system call that failed, or 0 */
  uint32_t index;    /**< which service, query or registration was refused, if the call has several */
  uint32_t limit;    /**< the limit that was reached */
  uid_t server_user; /**< PM_NOT_TRUSTED */
  uid_t owner;       /**< PM_NOT_TRUSTED */
  char message[256]; /**< the reason as text, such as "unable to open the registry: No such file or directory" */
};

/** The reason for the last call of this thread that failed. Valid until the next one fails. */
const struct pm_error *pm_last_error(void);

/* --- The registry --- */

/** An open registry, and the registrations that were made through it. */
typedef struct pm_registry pm_registry;

enum {
  PM_NONBLOCK = 16 /**< a call that may have to wait returns PM_PENDING, and goes on in a thread of the library */
};

/** Opens the registry in the directory `path`; NULL: $PM_REGISTRY, or the default of this build. `flags`: 0 or PM_NONBLOCK. */
int pm_open(pm_registry **registry, char const *path, unsigned flags);
/** Ends its registrations, and a pending call. Waits for the registry for a second at most. NULL is allowed. */
void pm_close(pm_registry *registry);

/** For a handle of PM_NONBLOCK: readable when the pending call is done. Belongs to the handle. */
int pm_fd(pm_registry const *registry);
/** The result of the pending call, as that call would have returned it; PM_PENDING: it is not done. Does not wait. */
int pm_finish(pm_registry *registry);

/** A service to register. */
struct pm_service {
  char const *name;
  char const *address; /**< as in pm-registry(7): tcp:127.0.0.1:80, local:/run/x, none; fd:N: that of the socket N */
  uint32_t version;    /**< 0: none */
};

enum {
  PM_EXCLUSIVE = 1, /**< conflicts with every other registration of the same name, version, netid and user */
  PM_PUBLIC = 2,    /**< the registration names the executable of this process */
  PM_DELETED = 4    /**< only in struct pm_registration: the executable's file had no name any more */
};

/**
 * Registers all of `count` services or none, for this process and its effective user. Returns a number for pm_release(). The
 * registrations end with pm_release(), with pm_close(), and with the process. 
 */
int pm_register(pm_registry *registry, const struct pm_service *services, size_t count, unsigned flags, int timeout, int stop);
/**
 * Ends registrations of this handle: those of the call that returned `number` (0: of any), of the service (NULL: of any), at the
 * address (NULL: at any). Returns how many it ended. PM_NOT_FOUND: there are none.
 */
int pm_release(pm_registry *registry, int number, char const *service, char const *address, int timeout, int stop);

/** Which registrations. All bytes 0: all services of trusted users. */
struct pm_query {
  char const *service; /**< NULL: all services */
  char const *netid;   /**< tcp tcp6 udp udp6 local none; NULL: any */
  uid_t const *users;  /**< whose registrations are found; NULL: root's, the registry's owner's and this process's user's */
  size_t user_count;   /**< at most 16 */
  uint32_t version;    /**< with PM_OF_VERSION */
  unsigned flags;      /**< to be or-ed: PM_OF_VERSION, PM_ANYONE */
};

enum {
  PM_OF_VERSION = 32, /**< only this version */
  PM_ANYONE = 64      /**< the registrations of all users are trusted */
};

/** A living registration. */
struct pm_registration {
  char const *service, *netid, *address;
  char const *executable; /**< of a public one: what the registrant said; empty: not known */
  char const *id;         /**< no other registration of this boot has it */
  uint32_t version;       /**< 0: none */
  unsigned flags;         /**< PM_EXCLUSIVE, PM_PUBLIC, PM_DELETED */
  uid_t user;             /**< as the kernel reports it; (uid_t)-1: the kernel cannot name the user */
  pid_t process;
};

/** Returns how many living registrations match, and pm_result() has them, the oldest of a service first. Does not wait. */
int pm_find(pm_registry *registry, const struct pm_query *query);
/**
 * Registration `i` of the last pm_find(), pm_connect() or pm_wait(), valid until the next of these calls. NULL: `i` is too
 * large.
 */
const struct pm_registration *pm_result(pm_registry const *registry, size_t i);

/**
 * Connects to the oldest registration whose server answers, by tcp, tcp6 or local, and returns the socket; pm_result() has the
 * registration. The server's process must run as root, as this process's user, as a trusted user, or as the registered process
 * does.
 */
int pm_connect(pm_registry *registry, const struct pm_query *query, int timeout, int stop);

/** Announces the executable of this process until the handle is closed. It counts as a registration. */
int pm_announce(pm_registry *registry, int timeout, int stop);
/** Withdraws the announcement. PM_NOT_FOUND: this handle has none. */
int pm_withdraw(pm_registry *registry, int timeout, int stop);
/**
 * Writes the path that a process has announced, with a NUL and at most `size` bytes, and returns its length, which may be
 * larger. The process may lie. PM_NOT_FOUND: it has announced none, or has ended. `deleted`: whether the file had no name any
 * more; may be NULL.
 */
int pm_executable(pm_registry *registry, pid_t process, char *path, size_t size, int *deleted);

/** What has happened to a service; the first three are also what pm_wait() waits for. */
enum {
  PM_UP = 1,   /**< a trusted registration began */
  PM_DOWN,     /**< one ended; for pm_wait(): the service has no registration */
  PM_CHANGED,  /**< one was rewritten; for pm_wait(): one began, ended or was rewritten */
  PM_NOTIFIED, /**< bytes that were sent to a fifodir match the expression */
  PM_OFFERED   /**< a process hands a descriptor over */
};

enum {
  PM_ANY = 128 /**< one of the services is enough */
};

/**
 * Waits until all services are up, are down, or have changed since the call; with PM_ANY until one is or has. Returns how many
 * registrations match then; pm_result() has them. Each query names a service.
 */
int pm_wait(pm_registry *registry, int what, const struct pm_query *queries, size_t count, unsigned flags, int timeout, int stop);

/* --- Events --- */

/** What happens to services, in fifodirs and at a worker's socket: one descriptor to wait for, and one event after the other. */
typedef struct pm_watch pm_watch;

struct pm_event {
  int kind;                                   /**< PM_UP, PM_DOWN, PM_CHANGED, PM_NOTIFIED, PM_OFFERED */
  int source;                                 /**< what the call returned that added the source */
  const struct pm_registration *registration; /**< PM_UP, PM_DOWN, PM_CHANGED */
  char const *text;                           /**< PM_NOTIFIED: the bytes that match, with a NUL after them */
  size_t size;                                /**< PM_NOTIFIED: their number, without the NUL */
  int fd;                                     /**< PM_OFFERED: the descriptor. It belongs to the caller, who closes it */
  char const *const *variables;               /**< PM_OFFERED: NAME=VALUE of its connection, PROTO first; ends with NULL */
};

/** Makes a watch without sources. */
int pm_watch_open(pm_watch **watch);
/**
 * Adds the services of a query in a registry. The first events are PM_UP of the registrations that are there. Returns the number
 * of the source. It may wait for the registry; with PM_NONBLOCK it is pending in the registry's handle, and the watch is not used
 * meanwhile. The watch may outlive the handle.
 */
int pm_watch_services(pm_watch *watch, pm_registry *registry, const struct pm_query *query, int timeout, int stop);
/**
 * Adds a fifodir, and a POSIX extended regular expression for the bytes that notifiers send. Returns the number of the source.
 */
int pm_watch_fifodir(pm_watch *watch, char const *fifodir, char const *expression);
/**
 * Makes this process a worker: adds a listening Unix stream socket, over which pm-superd -w and pm-fdpass hand descriptors
 * over. Root, this process's user and `users` may do that. The socket stays the caller's. Returns the number of the source.
 */
int pm_watch_offers(pm_watch *watch, int listening, uid_t const *users, size_t user_count);
/**
 * For poll(2). Belongs to the watch. Before waiting, call pm_watch_next() until it returns 0: the descriptor does not tell of events
 * that it could return already.
 */
int pm_watch_fd(pm_watch const *watch);
/** Returns 1 and the next event, which is valid until the next call; 0: none came within the time limit. */
int pm_watch_next(pm_watch *watch, struct pm_event *event, int timeout, int stop);
/** Ends the watch. NULL is allowed. */
void pm_watch_close(pm_watch *watch);

/** Sends `size` bytes, at most 4096, to the listeners of a fifodir. Returns how many got them. Does not wait. */
int pm_notify(char const *fifodir, char const *bytes, size_t size);

/* --- Descriptors of other processes --- */

/**
 * Hands a descriptor to a worker that listens at `path` (/PATH, a relative path, or @NAME) and that root, this process's user
 * or one of `users` runs. The caller keeps its descriptor. `variables`: NAME=VALUE of its connection, PROTO first, and NULL at
 * the end; NULL: those in this process's environment. `registry`: a handle of PM_NONBLOCK, in which the call is then pending;
 * NULL: the call waits.
 */
int pm_hand_over(pm_registry *registry, char const *path, int fd, char const *const *variables, uid_t const *users,
                 size_t user_count, int timeout, int stop);
/**
 * The descriptor that LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES give to this process, sd_listen_fds(3): number `i`, from 0, of
 * those with this name; NULL: of all. It is close-on-exec afterwards. PM_NOT_FOUND: there are not so many, or none for this
 * process.
 */
int pm_listen_fd(char const *name, size_t i);

#ifdef __cplusplus
}
#endif

#endif
