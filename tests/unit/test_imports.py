"""How the modules import each other, beside the directions that import-linter holds."""

from graphlib import CycleError, TopologicalSorter

import grimp


def test_no_module_imports_itself_by_way_of_others():
    """No circle of imports is left in the package, nor one that only closes when a function is called."""
    found = grimp.build_graph("dockerlab", exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: found.find_modules_directly_imported_by(module) for module in found.modules}
    assert len(imports) > 300
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        circle = error.args[1]
        raise AssertionError(f"a circle of imports: {' -> '.join(circle)}") from None
