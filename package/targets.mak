# What is built: programs, which tests build as well with every system call open to faults, and the tests' own.

BIN_TARGETS := \
pm-dereg \
pm-list \
pm-listend \
pm-lookup \
pm-mkregistry \
pm-notify \
pm-reapd \
pm-reg \
pm-wait \
pm-watch

# The objects on the path of a lookup.
HOT_OBJECTS := \
base/directory.o \
base/sys.o \
base/text.o \
fifodir/token.o \
registry/layout.o \
registry/lookup.o \
registry/record.o

TEST_TARGETS := \
await \
hold-as \
race \
crash \
crash-waiters \
events \
failures \
failures-waiters \
registry \
text

BENCH_TARGETS := \
bench-registry
