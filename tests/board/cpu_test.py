"""The processors -cpu offers."""
import pytest

from conftest import run_board

QUIET = ("-display", "none", "-monitor", "none", "-serial", "null")

# FPSID by FMRX where VFP is there; otherwise the undefined instruction vector, whose code exits with 7.
FPSID = """
        .fpu vfp
        .global _start
_start: mov r0, #0
        ldr r1, =0xe59ff018         @ ldr pc, [pc, #24]
        str r1, [r0, #4]
        ldr r1, =absent
        str r1, [r0, #0x24]
        fmrx r2, fpsid
        mov r2, #3
        b leave
absent: mov r2, #7
leave:  ldr r1, =block
        str r2, [r1, #4]
        mov r0, #0x20
        svc 0x123456
        .balign 4
block:  .word 0x20026, 0
"""


@pytest.mark.parametrize("cpu, status", [("arm926", 3), ("arm926,vfp=on", 3), ("arm926,vfp=off", 7), ("arm926-novfp", 7)])
def test_vfp_is_there_or_undefined(assemble, cpu, status):
    assert run_board("-cpu", cpu, "-semihosting", "-kernel", assemble(FPSID), *QUIET) == (status, "", "")


@pytest.mark.parametrize("cpu, sentence", [("arm926,neon=on", "-cpu: there is no property 'neon'; there is vfp"),
                                           ("arm926,vfp=maybe", "-cpu: vfp='maybe' must be on or off")])
def test_unknown_features_are_refused(cpu, sentence):
    status, _, error = run_board("-cpu", cpu, *QUIET)
    assert (status, error.strip()) == (1, f"pinstrap-versatilepb: {sentence}")
