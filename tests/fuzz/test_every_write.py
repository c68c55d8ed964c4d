"""Every place that writes a file does so by `atomic_write`, or stands here with its reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALLOWED = {
    "mtm_core/resources.py": "holds `atomic_write`",
    "mtm_core/data/alf_writer.py": "fills a folder that takes its name once it is whole",
    "mtm_core/data/alf_writer_probe.py": "fills the same folder",
    "mtm_core/data/one_transfer.py": "adds to a part that takes its place once it is whole",
    "mtm_core/data/one_download.py": "puts a whole file that ONE left in its place",
    "mtm_core/training/event_log.py": "adds whole lines; half a line at the end is passed over",
    "mtm_core/sweep/journal.py": "cuts off half a line",
    "mtm_core/cli/sweep_work.py": "collects the words of a process",
    "mtm_core/training/state_files.py": "gives a damaged file another name",
    "mtm_viewer/jobs/run_order.py": "gives a file that is whole a second name",
    "mtm_viewer/jobs/process.py": "collects the words of a process",
    "mtm_viewer/jobs/journal_job.py": "adds lines with a checksum; half a line is passed over",
    "mtm_viewer/mask_shelf.py": "gives a file that cannot be read another name",
}
METHODS = {
    *("write_text", "write_bytes", "hardlink_to", "symlink_to", "rename", "truncate"),
    *("savefig", "to_csv", "to_parquet", "to_hdf", "setFileName"),
}
MEMORY = {"QBuffer", "io.BytesIO"}
INTO_ARGUMENT = {"savefig", "to_csv", "to_parquet", "to_hdf", "setFileName"}
FUNCTIONS = {
    *("np.save", "np.savez", "np.savez_compressed", "np.savetxt", "json.dump", "shutil.copy"),
    *("shutil.copyfile", "shutil.copy2", "shutil.copytree", "shutil.move", "torch.save"),
    *("os.replace", "os.rename", "pickle.dump", "QPdfWriter"),
}


def writes(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield calls that write to a place that they are told."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name, words = ast.unparse(node.func), [ast.unparse(word) for word in node.args]
        last = name.rpartition(".")[2]
        modes = [
            word.strip("'") for word in (*words, *(ast.unparse(k.value) for k in node.keywords))
        ]
        is_open = last in ("open", "File") and any(
            len(mode) <= 3 and set("wax+") & set(mode) and set(mode) <= set("rwaxbt+")
            for mode in modes
        )
        is_path_move = last == "replace" and len(words) == 1 and not node.keywords
        if is_open or is_path_move or (last in METHODS and "." in name) or name in FUNCTIONS:
            yield node


def target(call: ast.Call) -> str:
    """Return the variable that is written to, or into."""
    name = ast.unparse(call.func)
    is_argument = name in FUNCTIONS | {"h5py.File"} or name.rpartition(".")[2] in INTO_ARGUMENT
    holder = call.args[-1 if name.startswith("shutil.") else 0] if is_argument else call.func
    while isinstance(holder, ast.Attribute | ast.Call):
        holder = holder.value if isinstance(holder, ast.Attribute) else holder.func
    return ast.unparse(holder)


def safe_names(tree: ast.AST) -> set[str]:
    """Return the variables that `atomic_write` gave, and buffers in memory."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.withitem) and "atomic_write(" in ast.unparse(node.context_expr):
            found.add(ast.unparse(node.optional_vars))
        if isinstance(node, ast.Assign) and any(
            word in ast.unparse(node.value)
            for word in ("atomic_write(", "io.BytesIO(", "_opened_buffer(")
        ):
            found |= {ast.unparse(each) for each in node.targets}
        if isinstance(node, ast.arg) and node.annotation is not None:
            found |= {node.arg} if ast.unparse(node.annotation) in MEMORY else set()
    return found


def unsafe_writes(path: Path) -> list[str]:
    """Return what a module writes without `atomic_write`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    safe, found = safe_names(tree), []
    for call in writes(tree):
        is_in_memory = "backing_store=False" in ast.unparse(call)
        if target(call) not in safe and not is_in_memory:
            found.append(f"{path.relative_to(ROOT)}:{call.lineno}: {ast.unparse(call)[:90]}")
    return found


def modules() -> list[Path]:
    return [path for name in ("mtm_core", "mtm_viewer") for path in (ROOT / name).rglob("*.py")]


def test_every_write_is_whole_or_has_its_reason():
    found = {path.relative_to(ROOT).as_posix(): unsafe_writes(path) for path in modules()}
    assert [line for name in found if name not in ALLOWED for line in found[name]] == []
    assert [name for name in ALLOWED if not found[name]] == []


def test_what_writes_in_place_is_seen(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "module.py").write_text(
        """
def save(path, figure, text, image, array):
    with atomic_write(path) as temporary:
        temporary.write_text(text)
    path.write_text(text)
    with path.open("w") as file:
        file.write(text)
    open(path, mode="ab")
    np.save(path, array)
    figure.savefig(path)
    shutil.copyfile(temporary, path)
    h5py.File(path, "w")
    text.replace("a", "b")
    path.open("rb")
"""
    )
    lines = [line.split(":")[1] for line in unsafe_writes(tmp_path / "module.py")]
    assert sorted(map(int, lines)) == [5, 6, 8, 9, 10, 11, 12]
