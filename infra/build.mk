# Builds of the functions, as `sam build` asks for them: `make build-<LogicalId>` with ARTIFACTS_DIR.
# The packages are those of the target, from any local Python and machine: hash-locked wheels only.

ARCHITECTURE ?= arm64
TARGET_PYTHON = 3.13
PLATFORM_arm64 = aarch64-manylinux_2_28
PLATFORM_x86_64 = x86_64-manylinux_2_28
SAM = SAM_CLI_TELEMETRY=0 $(UV) tool run --from aws-sam-cli==1.170.0 sam
REGIONS = cn-north-1 cn-northwest-1 eu-central-1

.PHONY: build template deploy
build: .uv/.installed ## build all functions for Lambda into .aws-sam (ARCHITECTURE=x86_64 in China until checked)
	@echo '== building the functions for $(ARCHITECTURE)'
	@ARCHITECTURE=$(ARCHITECTURE) $(SAM) build --build-in-source --parallel --region cn-north-1 \
		--parameter-overrides Architecture=$(ARCHITECTURE)

template: .venv/.installed ## lint the template for both partitions, by CloudFormation's rules, SAM's and ours
	@echo '== template';       .venv/bin/cfn-lint template.yaml --regions $(REGIONS)
	@echo '== house rules';    $(PY) -m infra.rules
	@echo '== sam validate';   $(SAM) validate --lint --region cn-north-1

deploy: build ## build and deploy; asks for stage, region and parameters (docs/operations.md)
	@$(SAM) deploy --guided --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND

build-GraphqlHttp: .uv/.installed
	@$(PYTHON) -m infra.package api "$(ARTIFACTS_DIR)" --platform $(PLATFORM_$(ARCHITECTURE)) --python $(TARGET_PYTHON)

build-JournalRelay build-EventWorker build-JobWorker build-Scheduled: .uv/.installed
	@$(PYTHON) -m infra.package functions "$(ARTIFACTS_DIR)" --platform $(PLATFORM_$(ARCHITECTURE)) --python $(TARGET_PYTHON)

build-PreTraffic: .uv/.installed
	@$(PYTHON) -m infra.package hook "$(ARTIFACTS_DIR)" --platform $(PLATFORM_$(ARCHITECTURE)) --python $(TARGET_PYTHON)

.PHONY: bench
bench: setup ## ratios of speed and memory with their bounds; minutes, wants an idle machine (ARGS="rush requests" for some)
	@echo '== bench'
	@$(PY) -m bench $(ARGS)

.PHONY: audit
audit: .venv/.installed ## checkov over the template; justified skips are in infra/checkov_skips.json
	@echo '== checkov'
	@mkdir -p .bench
	@$(UV) tool run --from checkov==3.3.30 checkov --version >/dev/null 2>&1 || { \
		echo '!! SKIPPED: checkov 3.3.30 cannot be had here / 未能安装 checkov,已跳过'; exit 3; }
	@$(UV) tool run --from checkov==3.3.30 checkov -f template.yaml --framework cloudformation \
		--skip-download --quiet -o json --soft-fail >.bench/checkov.json
	@$(PY) -m infra.audit .bench/checkov.json
