"""The campaigns of mk/trust.mk, in small."""

import os
import shutil

from pagewise import BUILD, TOP, make, once, test


@test(quick=True, timeout=600)
@once
def test_proofs():
    """The quick ones hold. Only where the model checker is there already."""
    here = os.path.join(TOP, BUILD, "cbmc", "cbmc")
    if not (os.environ.get("CBMC") or shutil.which("cbmc")
            or os.path.exists(here)):
        print("no cbmc (make cbmc): the proofs are left out")
        return
    output, _ = make("prove", "QUICK=1", timeout=580)
    assert " proved, 0 failed" in output, output


@test(quick=True)
@once
def test_mutants_apply():
    """No mutant was left behind by a change of the sources."""
    output, _ = make("mutants-check")
    assert " mutants, 0 texts" in output, output
