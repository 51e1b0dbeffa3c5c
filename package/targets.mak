# What is built: programs, which tests build as well with every system call open to faults, and the tests' own.

BIN_TARGETS := \
pm-access \
pm-client \
pm-dereg \
pm-fdpass \
pm-fdrecv \
pm-list \
pm-listend \
pm-lookup \
pm-mkregistry \
pm-notify \
pm-peer \
pm-reapd \
pm-reg \
pm-regd \
pm-socketbinder \
pm-super \
pm-superd \
pm-wait \
pm-watch

TEST_TARGETS := \
await \
bound-socket \
by-service \
converse \
hold-as \
named \
offer \
race \
token-readers \
crash \
crash-waiters \
events \
failures \
failures-waiters \
message \
registry \
super \
text

BENCH_TARGETS := \
bench-chain \
bench-events \
bench-registry \
bench-super

FUZZ_TARGETS := \
fuzz-frames \
fuzz-netstring \
fuzz-protocol \
fuzz-record \
fuzz-request
