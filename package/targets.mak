# What is built: programs, which tests build as well with every system call open to faults, and the tests' own.

BIN_TARGETS := \
pm-access \
pm-activate \
pm-announce \
pm-client \
pm-connect \
pm-crypt \
pm-dereg \
pm-fddrop \
pm-fdget \
pm-fdlist \
pm-fdpass \
pm-fdrecv \
pm-fdstore \
pm-fdstored \
pm-getmaps \
pm-getport \
pm-list \
pm-listend \
pm-lookup \
pm-mkregistry \
pm-notify \
pm-open \
pm-opend \
pm-peer \
pm-pid2exe \
pm-reapd \
pm-reg \
pm-regd \
pm-rmtcall \
pm-rpcbindd \
pm-set \
pm-socketbinder \
pm-super \
pm-superd \
pm-unset \
pm-wait \
pm-watch

TEST_TARGETS := \
await \
bound \
by-service \
converse \
greet \
hello-on \
hold-as \
knock \
named \
offer \
race \
rpc-raw \
tirpc \
token-readers \
with-credentials \
connection \
crash \
crash-waiters \
events \
failures \
failures-waiters \
finder \
message \
registry \
rows \
rpc \
super \
text

BENCH_TARGETS := \
bench-chain \
bench-events \
bench-handover \
bench-held \
bench-message \
bench-onc \
bench-peers \
bench-registry \
bench-scale \
bench-super \
soak-super

FUZZ_TARGETS := \
fuzz-connection \
fuzz-fdstore \
fuzz-frames \
fuzz-handover \
fuzz-message \
fuzz-netstring \
fuzz-opener \
fuzz-record \
fuzz-registry \
fuzz-request \
fuzz-rpc
