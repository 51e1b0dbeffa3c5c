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

TEST_TARGETS := \
await \
hold-as \
race \
crash \
failures \
registry \
text

BENCH_TARGETS := \
bench-events \
bench-registry
