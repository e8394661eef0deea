"""Run by gem5: what this gem5 is. A line "slsuite: gem5 VERSION x86|none kvm|none"."""

from m5.defines import buildEnv, gem5Version

x86 = buildEnv.get("USE_X86_ISA") or buildEnv.get("TARGET_ISA") == "x86"
kvm = buildEnv.get("USE_KVM") and buildEnv.get("KVM_ISA") == "x86"
print("slsuite: gem5", gem5Version, "x86" if x86 else "none", "kvm" if kvm else "none")
