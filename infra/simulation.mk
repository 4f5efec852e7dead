# The whole system on seeds (docs/simulation.md). SEED= replays one, SEEDS= and FIRST= choose many.

.PHONY: sim sim-nightly soak
sim: .venv/.installed ## the whole system on 300 seeds with all faults, or one again: make sim SEED=17
	@echo '== simulation'
	@$(PY) -m sim

sim-nightly: .venv/.installed ## at least 2,000 seeds and 20 minutes of them, each night from another one on
	@echo '== simulation, a night of it'
	@SEEDS=2000 MINUTES=20 FIRST=$${FIRST:-$$(date +%y%m%d0000)} $(PY) -m sim

soak: .venv/.installed ## 10,000 seeds
	@echo '== simulation, 10,000 seeds'
	@SEEDS=10000 $(PY) -m sim
