# What there is to run. Every target goes through all modules of go.work; .ci/run runs them in CI.
#
#   make            lint and test
#   make test       every test of every module          TESTFLAGS=-v
#   make race       those of packages that share memory, under the race detector
#   make lint       gofmt, vet, staticcheck, determinism, import order
#   make fuzz       every fuzz target for a while        FUZZTIME=10s
#   make bench      every benchmark                      BENCH=regexp BENCHTIME=1s
#                   what a packet costs: BENCH='BenchmarkIn$$|Emit|ACK|UDP|Paths|Load|Lookup|Checksum$$|Merge'
#   make bench-peers  side by side with gVisor and the kernel, in turn   PEERS="-run UDP -rounds 3 -svg FILE", or -h; wants root

SHELL       := bash
.SHELLFLAGS := -o pipefail -c

GO        ?= go
TESTFLAGS ?=
FUZZTIME  ?= 10s
BENCH     ?= .
BENCHTIME ?= 1s

STATICCHECK ?= $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2

# The directories of the modules.
MODULES := $(shell $(GO) list -m -f '{{.Dir}}')

# $(call each,command) runs command in every module, goes on if it fails, and fails in the end.
each = @status=0; for dir in $(MODULES); do (cd "$$dir" && { $(1); }) || status=1; done; exit $$status

.PHONY: all test race lint format vet staticcheck rules fuzz bench bench-peers tools

all: lint test

test:
	$(call each,$(GO) test $(TESTFLAGS) ./...)
	$(GO) test -tags purego $(TESTFLAGS) ./wire

# A package shares memory if it, or its tests, import what that takes. internal/tcp takes its free lists from package sync and
# has no goroutine: nothing in it can race, and its simulations would take minutes. Of itest, which mostly waits for other programs,
# those tests are run in which the most goes on at once.
RACE_ITEST := TestTransferOffload|TestSteer|TestTraceOfRunningHost|TestCaptureStream|TestNamesFromDnsmasq|TestUpDev|TestTwoAtOnce
race:
	$(call each,$(GO) list -f '{{.ImportPath}} {{join .Imports " "}} {{join .TestImports " "}} {{join .XTestImports " "}}' ./... | \
		awk '/ (sync|sync\/atomic|testing\/synctest)( |$$)/ && !/^[^ ]*(internal\/tcp|\/itest) / { print $$1 }' | \
		xargs -r $(GO) test -race $(TESTFLAGS))
	cd itest && $(GO) test -race $(TESTFLAGS) -run '$(RACE_ITEST)' .

lint: format vet staticcheck rules

format:
	@bad=$$(gofmt -l .); if [ -n "$$bad" ]; then echo "not formatted by gofmt:"; echo "$$bad"; exit 1; fi

# The library is for every system, TAP and TUN devices apart: on the others it must at least build. Only package wire has code of a
# processor; vet compares assembly with its declarations.
vet:
	$(call each,$(GO) vet ./...)
	GOOS=darwin $(GO) vet ./... && GOOS=windows $(GO) build ./... && GOARCH=arm64 $(GO) vet ./wire
	cd cmd/onlink && GOOS=darwin $(GO) vet . && GOOS=windows $(GO) build -o /dev/null .

staticcheck:
	$(call each,$(STATICCHECK) ./...)

# The project's own rules; -v shows what is allowed by comment.
rules:
	$(GO) test -v ./internal/lint

fuzz:
	$(call each,GO=$(GO) $(CURDIR)/.ci/fuzz $(FUZZTIME))

bench:
	$(call each,$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem ./...)

# A module outside of the workspace: what gVisor depends on is nobody else's business.
bench-peers:
	cd bench/peers && GOWORK=off $(GO) run . $(PEERS)

# Fetches what lint needs from the module proxy.
tools:
	@$(STATICCHECK) -version
