# SPDX-License-Identifier: MIT
"""The fuzz targets over their corpus, without libFuzzer: a bug found once stays found. The captured
datagrams, turned to the other byte order, decode to the same on a machine of that order."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fuzz import byteorder, corpus
from tests.fuzz.targets import TARGETS, sources
from tests.linux.c_programs import FLAGS, INCLUDES, compiler, linked, run_program, unavailable
from tests.support.paths import ROOT
from tests.support.processes import run

FUZZ = ROOT / "tests/fuzz"
OTHER_GCC, OTHER_RUN = "s390x-linux-gnu-gcc", "qemu-s390x"


def sources_of(*program: str) -> list[Path]:
    return [*(FUZZ / f"{name}.c" for name in program), *map(Path, sources())]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("sanitizer", ["plain", pytest.param("address", marks=pytest.mark.slow)])
@pytest.mark.parametrize("target", TARGETS)
def test_fuzz_target_survives_its_corpus(target: str, sanitizer: str, tmp_path: Path) -> None:
    binary = linked(target, sources_of(target, "replay"), TARGETS[target], sanitizer, tmp_path)
    inputs = [corpus.CORPUS / target]
    if target == "decode":
        turned = tmp_path / "turned"
        corpus.save(turned, map(byteorder.turned, corpus.load(corpus.CORPUS / "captured")))
        inputs += [corpus.CORPUS / "captured", turned]
    run_program(binary, *map(str, inputs))


def test_corpus_stays_below_300_kb() -> None:
    assert sum(path.stat().st_size for path in corpus.CORPUS.iterdir()) < 300_000


@pytest.mark.timeout(300)
def test_big_endian_decoder_decodes_the_same(tmp_path: Path) -> None:
    for tool in (OTHER_GCC, OTHER_RUN):
        if shutil.which(tool) is None:
            unavailable(f"no {tool}")
    captured = corpus.load(corpus.CORPUS / "captured")
    assert len(captured) > 80
    turned = tmp_path / "turned"
    corpus.save_in_order(turned, map(byteorder.turned, captured))
    shows, other = sources_of("show"), tmp_path / "show-other"
    here = linked("show", shows, (), "plain", tmp_path)
    said = run([str(here), str(corpus.CORPUS / "captured")])
    run([OTHER_GCC, *FLAGS, *INCLUDES, "-static", *map(str, shows), "-o", str(other)], timeout=240)
    said_there = run([OTHER_RUN, str(other), str(turned)], timeout=120)
    assert said_there.stdout.split("\n") == said.stdout.split("\n")
    assert said.stdout.endswith("ok\n")
    for kind in ("route", "address", "link", "nexthop", "times"):
        assert f"\n {kind} " in said.stdout, kind


def test_turned_datagram_keeps_its_size_and_differs() -> None:
    for datagram in corpus.load(corpus.CORPUS / "captured"):
        turned = byteorder.turned(datagram)
        assert len(turned) == len(datagram)
        assert turned != datagram


def test_turning_a_malformed_datagram_raises() -> None:
    datagram = max(corpus.load(corpus.CORPUS / "captured"), key=len)
    with pytest.raises(ValueError, match="malformed"):
        byteorder.turned(b"\x00" * 16 + datagram)


def test_corpus_survives_split_and_join(tmp_path: Path) -> None:
    inputs = [b"", b"a", b"bc", b"a"]
    corpus.save(tmp_path / "one", inputs)
    corpus.into_folder(tmp_path / "folder", corpus.load(tmp_path / "one"))
    assert corpus.main(["join", str(tmp_path / "folder"), str(tmp_path / "two")]) == 0
    assert corpus.load(tmp_path / "two") == [b"", b"a", b"bc"]
    assert corpus.main(["split"]) == 2


def test_replay_fails_for_an_input_that_kills_the_target(tmp_path: Path) -> None:
    """The replay ends with a failure at the first input that kills the target."""
    source = tmp_path / "dies.c"
    source.write_text(
        '#include "fuzz.h"\n'
        "int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)"
        "{ CHECK(size < 3 || bytes[0] != 7); return 0; }\n"
    )
    binary = tmp_path / "dies"
    cc = compiler()
    if cc is None:
        unavailable("no C compiler")
    assert cc is not None
    run([cc, *FLAGS, *INCLUDES, str(source), str(FUZZ / "replay.c"), "-o", str(binary)])
    corpus.save(tmp_path / "inputs", [b"\x07", b"abc"])
    run_program(binary, str(tmp_path / "inputs"))
    corpus.save(tmp_path / "inputs", [b"\x07", b"\x07bc"])
    done = subprocess.run([str(binary), str(tmp_path / "inputs")], capture_output=True, text=True)
    assert done.returncode != 0
    assert "failed: " in done.stderr
