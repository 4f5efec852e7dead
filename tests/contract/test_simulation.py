"""Every module takes part in the simulation (docs/simulation.md)."""

from importlib import import_module

import pytest

from testkit.sim.registry import Action, module_names, simulated


class TestSimulatedModules:
    @pytest.mark.parametrize("name", module_names())
    def test_registers_actions_and_invariants(self, name):
        registered = import_module(f"sim.modules.{name}")

        assert registered.ACTIONS
        assert registered.INVARIANTS
        assert all(isinstance(action, Action) for action in registered.ACTIONS)
        assert all(action.weight > 0 for action in registered.ACTIONS)

    def test_are_all_of_the_package(self):
        assert {"people", "calendar", "meals"} <= set(module_names())

    def test_no_two_actions_share_a_name(self):
        """A trace would not say which of them it was."""
        names = [action.name for action in simulated().actions]

        assert len(set(names)) == len(names)
