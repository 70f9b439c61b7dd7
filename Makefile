# SPDX-License-Identifier: BSD-2-Clause
# The front door: every target installs what it needs, says so, and goes on.

BUILD ?= build
GOLDEN_DIR ?= ../shared/golden
PACKAGES = meson ninja-build pkg-config gcc libc6-dev libdnnl-dev libyaml-dev libjansson-dev \
	libzstd-dev zlib1g-dev libsqlite3-dev libcmocka-dev gnuplot-nox
SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: all help deps demo check golden bench pretrain fuzz sanitize lint install clean
.PHONY: cc-laws
.PHONY: envelopes
.PHONY: oracles
.PHONY: figures
.PHONY: heldout
.PHONY: student
.PHONY: proofs
.PHONY: cuda
.PHONY: guest guest-hour
.PHONY: live reality wifi

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

help:
	@echo "make           build $(BUILD)/aqmllm"
	@echo "make demo      the paper's experiment, end to end; prints the path of its report"
	@echo "make check     the tests"
	@echo "make cc-laws   congestion controls against their own texts: a table"
	@echo "make oracles   every queue law against its text in doubles, STEPS=10000000 steps each"
	@echo "make proofs    no overflow, no division by zero, probabilities within 1: by z3;"
	@echo "               the guard's theorem by z3, wrong guards, and spin where it is"
	@echo "make golden    reference vectors of GOLDEN_DIR ($(GOLDEN_DIR))"
	@echo "make envelopes published experiments, run again and held to their figures"
	@echo "make bench     every benchmark, into bench/RESULTS.md"
	@echo "make heldout   the AQMs on 200 held-out networks, into DIR=heldout; SUITE=small: 24"
	@echo "make student   the shipped student again, from its seed (models/student.md)"
	@echo "make figures   the pictures of README and docs, from runs made for them"
	@echo "make pretrain  make the built-in backbone again, from its seed"
	@echo "make fuzz      libFuzzer targets, SECONDS_IN_ALL=60 (clang)"
	@echo "make soak      HOURS=24 simulated hours of mixed traffic under ASan"
	@echo "make soak-route MINUTES=30 of real packets at MBIT=300, students swapped every second (root)"
	@echo "make sanitize  the tests under ASan and UBSan"
	@echo "make cuda      build-cuda/aqmllm, with --device cuda (nvcc and cuBLAS; docs/gpu.md)"
	@echo "make guest     the Linux module under QEMU (PACKETS=, SECONDS=, ROUNDS=);"
	@echo "               guest-hour: changes under load and insertions for an hour (MBIT=, PAUSE_MS=)"
	@echo "make live      the paper's testbed with real TCP stacks into DIR=live (root, half an hour)"
	@echo "make reality   the simulator against real TCP stacks, scenario by scenario, into DIR=reality"
	@echo "make wifi      real packets over links that take turns, beside the simulator, into DIR=wifi"
	@echo "make lint      clang-tidy and cppcheck"
	@echo "make install   program, manual page, completion, built-in backbone"
	@echo "make deps      Debian packages that are missing; every target needs them and does it"
	@echo "make clean     what was built"

# Debian packages that are not there yet.
deps:
	@missing=; for p in $(PACKAGES); do \
		dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || \
			missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
		echo "installing Debian packages:$$missing"; \
		$(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			$(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi

$(BUILD)/build.ninja: | deps
	@meson setup $(BUILD) $(if $(CI),-Dwerror=true) $(if $(PREFIX),--prefix="$(PREFIX)") \
		>$(BUILD).log 2>&1 || \
		{ cat $(BUILD).log; exit 1; }
	@mv $(BUILD).log $(BUILD)/setup.log

demo: all
	@$(BUILD)/aqmllm demo

check: all
	@sh tests/structure/check.sh
	@meson test -C $(BUILD) --print-errorlogs

cc-laws: all
	@$(BUILD)/tests/cc_laws/cc_laws

oracles: all
	@$(BUILD)/tests/oracles/oracles $(or $(STEPS),10000000)

proofs: all
	@command -v z3 >/dev/null || { echo "installing Debian package: z3"; \
		$(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			$(SUDO) apt-get install -y -qq --no-install-recommends z3 >/dev/null; }
	@sh tests/proofs/run.sh $(BUILD)/tests/proofs/points
	@sh tests/guard/mutants.sh . $(BUILD)/base/libbase.a
	@sh tests/model/run.sh

golden: all
	@AQMLLM_GOLDEN_DIR="$(abspath $(GOLDEN_DIR))" $(BUILD)/tests/golden/golden_run || \
		[ $$? = 77 -a ! -d "$(GOLDEN_DIR)" ]

envelopes: all
	@$(BUILD)/tests/envelopes/envelopes

bench: all
	@sh bench/run.sh $(BUILD)

student: all
	@bash bench/student.sh $(BUILD) $(BUILD)/student
	@cp $(BUILD)/student/student.aqms models/student.aqms

heldout: all
	@bash bench/heldout.sh $(BUILD) $(or $(DIR),heldout)

figures: all
	@sh docs/figures/draw.sh $(BUILD)/aqmllm

pretrain: all
	@$(BUILD)/aqmllm pretrain -o models/builtin

fuzz:
	@sh tests/fuzz/run.sh $(or $(SECONDS_IN_ALL),60)

# A simulated day of everything at once, checked for leaks and stuck flows.
.PHONY: soak
soak: deps
	@[ -f build-san/build.ninja ] || meson setup build-san -Db_sanitize=address,undefined \
		-Db_lundef=false --buildtype=debugoptimized >/dev/null
	@ninja -C build-san tests/soak/soak >/dev/null
	@build-san/tests/soak/soak $(or $(HOURS),24)

# Half an hour of real packets over a full link while students are swapped every second.
.PHONY: soak-route
soak-route: all
	@tests/cli/route_soak.sh $(BUILD)/aqmllm $(CURDIR) $$(($(or $(MINUTES),30) * 60)) \
		$(or $(MBIT),300) || [ $$? = 77 ]

sanitize: deps
	@[ -f build-san/build.ninja ] || meson setup build-san -Db_sanitize=address,undefined \
		-Db_lundef=false --buildtype=debugoptimized >/dev/null
	@ASAN_OPTIONS=allocator_may_return_null=1 \
		meson test -C build-san --print-errorlogs --timeout-multiplier 4

cuda: deps
	@[ -f build-cuda/build.ninja ] || meson setup build-cuda -Dcuda=enabled >build-cuda.log 2>&1 || \
		{ cat build-cuda.log; exit 1; }
	@rm -f build-cuda.log
	@ninja -C build-cuda

guest: all
	@bash tests/kernel/guest.sh . $(BUILD) $(or $(PACKETS),5000) $(or $(SECONDS),10) $(or $(ROUNDS),10)

# An hour of the guest's time: ten minutes to half an hour of a free processor.
guest-hour: all
	@GUEST_TIMEOUT=21600 bash tests/kernel/guest.sh . $(BUILD) 0 3600 100 $(or $(MBIT),1) \
		$(or $(PAUSE_MS),2000)

live: all
	@command -v iperf3 >/dev/null || { echo "installing Debian package: iperf3"; \
		$(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			$(SUDO) apt-get install -y -qq --no-install-recommends iperf3 >/dev/null; }
	@bash bench/live.sh $(BUILD) $(or $(DIR),live) || [ $$? = 77 ]

reality: all
	@{ command -v iperf3 && command -v socat; } >/dev/null || { echo "installing Debian packages: iperf3 socat"; \
		$(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			$(SUDO) apt-get install -y -qq --no-install-recommends iperf3 socat >/dev/null; }
	@bash bench/reality.sh $(BUILD) $(or $(DIR),reality) || [ $$? = 77 ]

wifi: all
	@bash bench/wifi.sh $(BUILD) $(or $(DIR),wifi) || [ $$? = 77 ]

lint: all
	@sh tests/structure/lint.sh $(BUILD)

install: all
	@DESTDIR="$(DESTDIR)" meson install -C $(BUILD) --no-rebuild --quiet
	@echo "installed; man aqmllm, aqmllm --help"

clean:
	@rm -rf $(BUILD) build-san build-fuzz build-cuda
