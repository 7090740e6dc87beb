# spice: see README.md.  "make test" and "make demo" install what they need.

EXTENSION = spice
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" spice.control)
DATA = $(wildcard sql/spice--*.sql)

MODULE_big = spice
SOURCES = $(sort $(wildcard src/*.c src/*/*.c src/*/*/*.c))
OBJS = $(SOURCES:.c=.o)

# Host files include no server header: a program on the host links them.
HOST = $(shell grep -L '"postgres\.h"' $(SOURCES))
UNIT_TESTS = $(patsubst test/unit/%.c,test/unit/%,$(wildcard test/unit/*_test.c))
FUZZERS = $(patsubst test/fuzz/%.c,test/fuzz/%,$(wildcard test/fuzz/fuzz_*.c))

TESTS = $(sort $(wildcard test/sql/*.sql))
REGRESS = $(patsubst test/sql/%.sql,%,$(TESTS))
REGRESS_OPTS = --inputdir=test --outputdir=test
ISOLATION = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=test
TAP_TESTS = 1
PROVE_TESTS = test/t/*.pl

EXTRA_CLEAN = $(OBJS:.o=.d) test/unit/host test/fuzz/host $(UNIT_TESTS) $(FUZZERS) test/results test/regression.* test/output_iso tmp_check log

LIBRARIES = libcurl yaml-0.1 jansson zlib libzstd libbrotlidec liblz4 liblzma expat
# of the server that is built for
LIBPQ = -L$(shell $(PG_CONFIG) --libdir) -lpq
WARNINGS = -Wall -Wextra
# the server's own headers are not ours to warn about
PG_CPPFLAGS = -isystem $(shell $(PG_CONFIG) --includedir-server) -isystem $(shell $(PG_CONFIG) --includedir) -I$(srcdir)/src -DSPICE_VERSION='"$(EXTVERSION)"' $(WARNINGS) \
	$(shell pkg-config --cflags $(LIBRARIES))
# our own symbols first: the server has many, and so have the libraries
SHLIB_LINK = -Wl,-Bsymbolic $(shell pkg-config --libs $(LIBRARIES)) -lbz2 -lsnappy $(LIBPQ)

PG_CONFIG ?= pg_config
comma = ,
# the targets below also serve machines where PostgreSQL is yet to be installed
ifneq ($(filter test check test-readme test-image test-crash sanitize valgrind demo bench fuzz fuzzers unit indent indent-check lint,$(MAKECMDGOALS)),)
# test without root and without installing packages, for the PostgreSQL of PG_CONFIG;
# KIND=regress NAMES="json csv" chooses.  PGXS has a target of this name, which only refuses.
check:
	@PG_CONFIG=$(PG_CONFIG) test/check $(KIND) $(NAMES)
else
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
# declarations stand where they help (C99)
override CFLAGS := $(filter-out -Wdeclaration-after-statement,$(CFLAGS))
endif

# The records of large responses pass through these.
src/source/%.o: override CFLAGS += -O3
# So do rows of analytical queries.  A product and a sum are rounded each, as the server does it.
src/column/%.o: override CFLAGS += -O3
src/vector/%.o: override CFLAGS += -O3 -ffp-contract=off

# A changed header rebuilds the files that include it.
override CPPFLAGS += -MMD -MP
-include $(wildcard $(OBJS:.o=.d))

HOST_CFLAGS = -std=gnu11 -O2 -g $(WARNINGS) -Werror -Isrc -MMD -MP $(HOST_SANITIZE)
HOST_LIBS = $(shell pkg-config --libs $(LIBRARIES)) -lbz2 -lsnappy -lm

# formats the tree as PostgreSQL's pgindent would; "make indent-check" only says what differs
indent:
	@test/deps --indent
	@test/indent

indent-check:
	@test/deps --indent
	@test/indent --check

# formatting, headers, cppcheck and clang-tidy
lint:
	@test/lint

# the types that pg_bsd_indent has to know, from the debugging information of a build
typedefs: $(OBJS) $(addprefix test/unit/host/,$(HOST:.c=.o))
	@test/typedefs $^ >src/typedefs.list

# every header must compile by itself
headerscheck:
	@for header in $(wildcard src/*.h src/*/*.h src/*/*/*.h); do \
		printf '#include "postgres.h"\n#include "%s"\n' $${header#src/} | \
		$(CC) $(CFLAGS) $(CPPFLAGS) -Werror -fsyntax-only -xc - || exit 1; \
	done

.PHONY: indent indent-check lint typedefs headerscheck
.PHONY: unit fuzz fuzzers test check test-readme test-image test-crash sanitize valgrind demo bench

test/unit/host/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -c -o $@ $<

test/unit/host/host.a: $(addprefix test/unit/host/,$(HOST:.c=.o))
	rm -f $@
	$(AR) rcs $@ $^

test/unit/%: test/unit/%.c test/unit/host/host.a
	$(CC) $(HOST_CFLAGS) -o $@ $< test/unit/host/host.a $(HOST_LIBS)

unit: $(UNIT_TESTS)
	@status=0; for program in $(UNIT_TESTS); do echo "# $$program"; ./$$program || status=1; done; exit $$status

# test/fuzz/run builds and runs them; it installs clang when it is missing
FUZZ_FLAGS = -std=gnu11 -D_GNU_SOURCE -g -O1 $(WARNINGS) -Werror -Isrc -MMD -MP -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined

fuzz:
	@FUZZ_SECONDS=$(FUZZ_SECONDS) test/fuzz/run

fuzzers: $(FUZZERS)

test/fuzz/host/%.o: %.c
	@mkdir -p $(@D)
	clang $(subst fuzzer$(comma),fuzzer-no-link$(comma),$(FUZZ_FLAGS)) -c -o $@ $<

test/fuzz/host/host.a: $(addprefix test/fuzz/host/,$(HOST:.c=.o))
	rm -f $@
	$(AR) rcs $@ $^

test/fuzz/%: test/fuzz/%.c test/fuzz/host/host.a
	clang $(FUZZ_FLAGS) -o $@ $< test/fuzz/host/host.a $(HOST_LIBS)

-include $(wildcard test/*/*.d $(addprefix test/*/host/,$(HOST:.c=.d)))

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

# follows README.md on bare Debian systems
test-readme:
	@test/readme

# hundreds of ends of processes while readers check; SPICE_CRASHES= says how many
test-crash:
	@test/crash

demo:
	@test/demo

# a table with every bar; ROWS=, RUNS= and PARTS="full readers" choose, see test/bench/run
bench:
	@test/bench/run
