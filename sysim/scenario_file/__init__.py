"""TEXT <-> MODEL: scenario files, read with positions, checked as a whole, and written back.

- `load` and `loads` give a `Loaded`: the scenario, its warnings, its plain tree, its digest.
- `with_` sets further values at paths; `variant_of` gives another variant; `dump` writes the resolved
scenario; `sources` gives the texts it was read from; `measures` reads numbers to look at, in the words of
checks; `schema` is the JSON Schema for editors.
- Whatever is wrong with a text, the one exception is `sysim.errors.ScenarioError`, with every problem at
once.

The way of a text: `yaml_core` (bytes to nodes), `files` (includes), `merge` and `paths` (layers),
`params`, then the shapes of `grammar` read the nodes into `sysim.model`, and `crosscheck` looks at the whole.
"""

from sysim.scenario_file.grammar import schema
from sysim.scenario_file.loading import Loaded, dump, load, loads, measures, sources, value, variant_of, with_

__all__ = ["Loaded", "dump", "load", "loads", "measures", "schema", "sources", "value", "variant_of", "with_"]
