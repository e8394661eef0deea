"""Run by gem5: what this gem5 is, and what it lacks of what our systems use.

slsuite: gem5 VERSION x86|none kvm|none
slsuite: lacks WHAT         any number of them
"""

import m5.objects
from _m5.core import gem5Version
from m5.defines import buildEnv

NEEDED = [
    "X86AtomicSimpleCPU",
    "X86TimingSimpleCPU",
    "X86MinorCPU",
    "X86O3CPU",
    "IdeController",
    "SimpleMemory",
    "DDR4_2400_8x8",
    "LTAGE",
]

x86 = buildEnv.get("USE_X86_ISA") or buildEnv.get("TARGET_ISA") == "x86"
kvm = buildEnv.get("USE_KVM") and hasattr(m5.objects, "X86KvmCPU")
print("slsuite: gem5", gem5Version, "x86" if x86 else "none", "kvm" if kvm else "none")
for name in NEEDED:
    if not hasattr(m5.objects, name):
        print("slsuite: lacks", name)
