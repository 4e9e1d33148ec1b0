"""Find what could make the truth differ between two machines, in one file's syntax tree.

The linter bans imports (pyproject.toml); this check bans them again, and what a linter cannot see: float
literals, true division, builtins that leak the process, and the order of a set. It owns no file list and
reads no file. It knows sets by their syntax and by annotations within a function, not by full type
inference; two replays under different hash seeds cover the rest.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

BANNED_MODULES = frozenset(
    "asyncio concurrent datetime decimal io locale logging multiprocessing os pathlib platform random secrets"
    " select shutil signal socket subprocess sys tempfile threading time uuid weakref zoneinfo".split()
)
EXACT_MATH = frozenset({"comb", "gcd", "isqrt", "lcm", "perm", "prod"})
BANNED_CALLS = frozenset("breakpoint complex compile eval exec float hash id input open print".split())
# Calls whose result does not depend on the order of what they read.
ORDER_FREE = frozenset("all any bool frozenset isinstance len max min set sorted sum".split())
SET_METHODS = frozenset("union intersection difference symmetric_difference".split())
SET_TYPES = frozenset({"set", "frozenset", "Set", "AbstractSet", "MutableSet"})
ORDERED_READERS = frozenset("deque dict enumerate filter iter list map next reversed tuple zip".split())
ORDERED_METHODS = frozenset("extend fromkeys join".split())


class Violation(NamedTuple):
    """One forbidden thing: its line (from 1) and what to say about it."""

    line: int
    what: str


def violations(source: str) -> list[Violation]:
    """Return every violation in a module's source text, by line."""
    tree = ast.parse(source)
    found = [violation for node in ast.walk(tree) for violation in _judge(node)]
    scopes = [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda))]
    for scope in scopes:
        found += _unordered(scope)
    return sorted(set(found))


def _judge(node: ast.AST) -> Iterator[Violation]:
    """Judge one node by itself."""
    match node:
        case ast.Import(names=names):
            for alias in names:
                yield from _judge_module(node.lineno, alias.name, ())
        case ast.ImportFrom(module=str(module), names=names, level=0):
            yield from _judge_module(node.lineno, module, tuple(alias.name for alias in names))
        case ast.Constant(value=float() | complex()):
            yield Violation(node.lineno, f"float literal {node.value!r}")
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            yield Violation(node.lineno, "true division gives a float; use // and a stated rule")
        case ast.Call(func=ast.Name(id=name)) if name in BANNED_CALLS:
            yield Violation(node.lineno, f"call of {name}()")
        case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
            yield Violation(node.lineno, "asynchronous code")
        case _:
            return


def _judge_module(line: int, module: str, names: tuple[str, ...]) -> Iterator[Violation]:
    root = module.split(".")[0]
    if root in BANNED_MODULES:
        yield Violation(line, f"import of {root}")
    if root == "math" and not (names and EXACT_MATH.issuperset(names)):
        yield Violation(line, f"import of math beyond {', '.join(sorted(EXACT_MATH))}")


def _unordered(scope: ast.AST) -> Iterator[Violation]:
    """Find reads of a set in its arbitrary order, within one module or function."""
    nodes = list(_own_nodes(scope))
    known = _names_of_sets(scope, nodes)
    order_free = {id(arg) for node in nodes if _is_call(node, ORDER_FREE) for arg in node.args}
    for node in nodes:
        for read in _ordered_reads(node, order_free):
            if _is_set(read, known):
                yield Violation(read.lineno, "a set read in its arbitrary order; wrap it in sorted()")
        match node:
            case ast.Call(func=ast.Attribute(attr="pop", value=value), args=[]) if _is_set(value, known):
                yield Violation(node.lineno, "pop() takes an arbitrary member of a set")
            case _:
                pass


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Walk a scope without the functions inside it, which are scopes of their own."""
    pending = list(ast.iter_child_nodes(scope))
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))


def _names_of_sets(scope: ast.AST, nodes: list[ast.AST]) -> frozenset[str]:
    """Return the names that are bound to a set in a scope, by value or by annotation."""
    names: set[str] = set()
    if isinstance(scope, ast.FunctionDef | ast.Lambda):
        arguments = scope.args.posonlyargs + scope.args.args + scope.args.kwonlyargs
        names |= {argument.arg for argument in arguments if _is_set_type(argument.annotation)}
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_set(value, frozenset(names)):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation) if _is_set_type(annotation):
                names.add(name)
            case _:
                pass
    return frozenset(names)


def _is_set_type(annotation: ast.expr | None) -> bool:
    match annotation:
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)):
            return name in SET_TYPES
        case _:
            return False


def _is_set(node: ast.expr, known: frozenset[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Call(func=ast.Attribute(attr=method, value=value)) if method in SET_METHODS:
            return _is_set(value, known)
        case ast.BinOp(op=ast.BitOr() | ast.BitAnd() | ast.BitXor() | ast.Sub(), left=left, right=right):
            return _is_set(left, known) or _is_set(right, known)
        case ast.Name(id=name):
            return name in known
        case _:
            return False


def _ordered_reads(node: ast.AST, order_free: set[int]) -> Iterator[ast.expr]:
    """Yield the expressions that a node reads one after another, where the order can show."""
    match node:
        case ast.For(iter=iterable) | ast.Starred(value=iterable) | ast.YieldFrom(value=iterable):
            yield iterable
        case ast.ListComp() | ast.DictComp() | ast.GeneratorExp() if id(node) not in order_free:
            yield from (generator.iter for generator in node.generators)
        case ast.Call(func=ast.Name()) if _is_call(node, ORDERED_READERS):
            yield from node.args
        case ast.Call(func=ast.Attribute(attr=method), args=args) if method in ORDERED_METHODS:
            yield from args
        case _:
            return


def _is_call(node: ast.AST, names: frozenset[str]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
