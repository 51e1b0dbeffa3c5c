# What is built: programs, which tests build as well with every system call open to faults, and the tests' own.

BIN_TARGETS := \
pm-access \
pm-client \
pm-dereg \
pm-list \
pm-lookup \
pm-mkregistry \
pm-peer \
pm-reg \
pm-socketbinder \
pm-super \
pm-superd

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
failures \
registry \
super \
text

BENCH_TARGETS := \
bench-registry \
bench-super
