# spice: see README.md.  "make test" and "make demo" install what they need.

EXTENSION = spice
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" spice.control)
DATA = $(wildcard sql/spice--*.sql)

MODULE_big = spice
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))

# host programs: the files that include no server header
HOST_MANIFEST = $(addprefix src/manifest/,arena.c duration.c document.c keys.c check.c names.c \
	connection.c csv.c database.c acceleration.c changes.c schedule.c cron.c append.c retention.c definition.c dataset.c stores.c manifest.c dotenv.c secrets.c)
HOST_SOURCE = $(sort $(wildcard src/source/json_*.c)) $(addprefix src/source/,csv_reader.c http_header.c http_text.c iso8601.c url.c wiping.c)
UNIT_TESTS = $(patsubst test/unit/%.c,test/unit/%,$(wildcard test/unit/*_test.c))
FUZZERS = $(patsubst test/fuzz/%.c,test/fuzz/%,$(wildcard test/fuzz/fuzz_*.c))

TESTS = $(sort $(wildcard test/sql/*.sql))
REGRESS = $(patsubst test/sql/%.sql,%,$(TESTS))
REGRESS_OPTS = --inputdir=test --outputdir=test
ISOLATION = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=test
TAP_TESTS = 1
PROVE_TESTS = test/t/*.pl

EXTRA_CLEAN = $(UNIT_TESTS) $(FUZZERS) test/results test/regression.* test/output_iso tmp_check log

LIBRARIES = libcurl yaml-0.1 jansson
# of the server that is built for
LIBPQ = -L$(shell $(PG_CONFIG) --libdir) -lpq
WARNINGS = -Wall -Wextra
# the server's own headers are not ours to warn about
PG_CPPFLAGS = -isystem $(shell $(PG_CONFIG) --includedir-server) -isystem $(shell $(PG_CONFIG) --includedir) -I$(srcdir)/src -DSPICE_VERSION='"$(EXTVERSION)"' $(WARNINGS) \
	$(shell pkg-config --cflags $(LIBRARIES))
# our own symbols first: the server has many, and so have the libraries
SHLIB_LINK = -Wl,-Bsymbolic $(shell pkg-config --libs $(LIBRARIES)) $(LIBPQ)

PG_CONFIG ?= pg_config
# the targets below also serve machines where PostgreSQL is yet to be installed
ifneq ($(filter test test-image test-crash sanitize valgrind demo bench fuzz fuzzers unit,$(MAKECMDGOALS)),)
else
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
# declarations stand where they help (C99)
override CFLAGS := $(filter-out -Wdeclaration-after-statement,$(CFLAGS))
endif

# the records of large responses go through these
src/source/%.o: override CFLAGS += -O3

HOST_CFLAGS = -std=gnu11 -O2 -g $(WARNINGS) -Werror -Isrc $(HOST_SANITIZE)
HOST_LIBS = $(shell pkg-config --libs $(LIBRARIES))

.PHONY: unit fuzz fuzzers test test-image test-crash sanitize valgrind demo bench

test/unit/manifest_%: test/unit/manifest_%.c $(HOST_MANIFEST) $(wildcard src/manifest/*.h)
	$(CC) $(HOST_CFLAGS) -o $@ $< $(HOST_MANIFEST) $(HOST_LIBS)

test/unit/%: test/unit/%.c $(HOST_SOURCE) $(wildcard src/source/*.h)
	$(CC) $(HOST_CFLAGS) -o $@ $< $(HOST_SOURCE) $(HOST_LIBS)

unit: $(UNIT_TESTS)
	@status=0; for program in $(UNIT_TESTS); do echo "# $$program"; ./$$program || status=1; done; exit $$status

# test/fuzz/run builds and runs them; it installs clang when it is missing
FUZZ_FLAGS = -std=gnu11 -D_GNU_SOURCE -g -O1 $(WARNINGS) -Werror -Isrc -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
FUZZERS_OF_MANIFEST = $(addprefix test/fuzz/fuzz_,manifest duration dotenv csv_options)

fuzz:
	@FUZZ_SECONDS=$(FUZZ_SECONDS) test/fuzz/run

fuzzers: $(FUZZERS)

$(FUZZERS_OF_MANIFEST): %: %.c $(HOST_MANIFEST) $(wildcard src/manifest/*.h)
	clang $(FUZZ_FLAGS) -o $@ $< $(HOST_MANIFEST) $(HOST_LIBS)

test/fuzz/%: test/fuzz/%.c $(HOST_SOURCE) $(wildcard src/source/*.h)
	clang $(FUZZ_FLAGS) -o $@ $< $(HOST_SOURCE) $(HOST_LIBS)

# installs what is missing, then runs every test; PG=17 or 18 runs them in a chroot
test:
	@test/run $(PG)

# the same but TAP tests with gcc's sanitizers
sanitize:
	@test/sanitize

# some of the regression tests in a server that valgrind runs; TESTS="json csv" chooses
valgrind:
	@test/valgrind

# builds the container image and runs it; needs no Docker engine
test-image:
	@test/image

# hundreds of ends of processes while readers check; SPICE_CRASHES= says how many
test-crash:
	@test/crash

demo:
	@test/demo

# a table with every bar; ROWS=, RUNS= and PARTS="full readers" choose, see test/bench/run
bench:
	@test/bench/run
