"""The cores of a system: `core.model` blocking, inorder or ooo as gem5's TimingSimple, Minor and O3."""

from gem5.components.processors.base_cpu_core import BaseCPUCore
from gem5.components.processors.base_cpu_processor import BaseCPUProcessor
from gem5.isas import ISA
from m5.objects import (
    LTAGE,
    NULL,
    TAGE,
    TAGE_SC_L_64KB,
    FUDesc,
    FUPool,
    LocalBP,
    MinorFU,
    MinorFUPool,
    MinorFUTiming,
    OpDesc,
    ReturnAddrStack,
    SimpleBTB,
    SimpleIndirectPredictor,
    TournamentBP,
)
from m5.objects.BaseMinorCPU import minorMakeOpClassSet
from m5.objects.X86CPU import (
    X86O3CPU,
    X86AtomicSimpleCPU,
    X86MinorCPU,
    X86TimingSimpleCPU,
)

from legal import choose, note

# Page walks take time that nobody measures there. Emptied before the checkpoint, whose TLBs no smaller ones
# could take up.
BOOT_TLB_ENTRIES = 1024

VECTOR_MEMORY = ("UnitStride", "UnitStrideMask", "UnitStrideSegmented", "Strided", "Indexed", "WholeRegister")

# gem5's operation classes by the system files' names for them.
CLASSES = {
    "int_alu": ["IntAlu"],
    "int_mul": ["IntMult"],
    "int_div": ["IntDiv"],
    "fp_add": ["FloatAdd"],
    "fp_cmp": ["FloatCmp"],
    "fp_cvt": ["FloatCvt"],
    "fp_mul": ["FloatMult", "FloatMultAcc"],
    "fp_div": ["FloatDiv"],
    "fp_sqrt": ["FloatSqrt"],
    "fp_misc": ["FloatMisc"],
    "simd_int": ["SimdAdd", "SimdAddAcc", "SimdAlu", "SimdCmp", "SimdShift", "SimdShiftAcc", "SimdReduceAdd"]
    + ["SimdReduceAlu", "SimdReduceCmp"],
    "simd_mul": ["SimdMult", "SimdMultAcc", "SimdMatMultAcc", "SimdFloatMult", "SimdFloatMultAcc"] + ["SimdFloatMatMultAcc"],
    "simd_misc": ["SimdMisc", "SimdCvt", "SimdDiv", "SimdSqrt", "SimdExt", "SimdConfig", "SimdPredAlu"]
    + ["SimdFloatAdd", "SimdFloatAlu", "SimdFloatCmp", "SimdFloatCvt", "SimdFloatDiv", "SimdFloatMisc"]
    + ["SimdFloatSqrt", "SimdFloatReduceAdd", "SimdFloatReduceCmp", "SimdFloatExt"]
    + ["SimdAes", "SimdAesMix", "SimdSha1Hash", "SimdSha1Hash2", "SimdSha256Hash", "SimdSha256Hash2"]
    + ["SimdShaSigma2", "SimdShaSigma3", "Matrix", "MatrixMov", "MatrixOP"],
    "load": ["MemRead", "FloatMemRead"] + [f"Simd{kind}Load" for kind in VECTOR_MEMORY] + ["SimdUnitStrideFaultOnlyFirstLoad"],
    "store": ["MemWrite", "FloatMemWrite"] + [f"Simd{kind}Store" for kind in VECTOR_MEMORY],
    "system": ["IprAccess", "InstPrefetch"],
}


def operations_by_unit(system):
    """For each unit there is: its name, how many, and its operations' names, in the table's order."""
    units = {}
    for operation in CLASSES:
        units.setdefault(system[f"core.operations.{operation}.unit"], []).append(operation)
    for unit, operations in units.items():
        yield unit, system[f"core.units.{unit}"], operations


def make_branch_predictor(system):
    """Minor, for which the system files have `none`, cannot be without one: gem5's default, which never
    learns on x86 (docs/validation.md)."""
    kinds = {
        "none": TournamentBP,
        "bimodal": lambda: LocalBP(localPredictorSize=system["branch.size"]),
        "tournament": lambda: TournamentBP(
            localPredictorSize=system["branch.local_size"],
            localHistoryTableSize=system["branch.local_size"],
            globalPredictorSize=system["branch.size"],
            choicePredictorSize=system["branch.size"],
        ),
        "tage": TAGE,
        "ltage": LTAGE,
        "tage_sc_l": TAGE_SC_L_64KB,
    }
    predictor = choose(system, "branch.direction", kinds)()
    if system["branch.direction"] == "none":
        return predictor
    if "tage" in system["branch.direction"]:
        note("branch.size, history and tables are those of gem5's own predictor")
    predictor.btb = SimpleBTB(numEntries=1 << (system["branch.btb_entries"].bit_length() - 1))
    predictor.ras = ReturnAddrStack(numEntries=system["branch.ras_entries"])
    predictor.indirectBranchPred = (
        SimpleIndirectPredictor(indirectSets=system["branch.indirect_sets"], indirectWays=system["branch.indirect_ways"])
        if system["branch.indirect_sets"]
        else NULL
    )
    return predictor


def make_minor_units(system):
    """A unit of Minor has one latency: where a unit's operations have several, it becomes one a latency."""
    units = []
    for _, count, operations in operations_by_unit(system):
        kinds = {}
        for operation in operations:
            key = tuple(system[f"core.operations.{operation}.{what}"] for what in ("latency", "interval", "slack"))
            kinds.setdefault(key, []).extend(CLASSES[operation])
        for (latency, interval, slack), classes in kinds.items():
            # The result of a load is known when it arrives: MinorDefaultMemFU.
            assumed = 2 if "MemRead" in classes else 0
            timing = MinorFUTiming(srcRegsRelativeLats=[slack], extraAssumedLat=assumed)
            units.extend(
                MinorFU(
                    opClasses=minorMakeOpClassSet(classes),
                    opLat=latency,
                    issueLat=interval,
                    timings=[timing] if slack or assumed else [],
                )
                for _ in range(count)
            )
    return MinorFUPool(funcUnits=units)


def make_minor(system, number):
    core = X86MinorCPU(cpu_id=number)
    width = system["core.front_width"]
    core.decodeInputWidth = width
    core.executeInputWidth = width
    core.executeInputBufferSize = system["core.window"] // width
    core.executeIssueLimit = system["core.issue_width"]
    core.executeMemoryIssueLimit = system["core.memory_issue_width"]
    core.executeCommitLimit = system["core.commit_width"]
    core.executeLSQStoreBufferSize = system["core.store_buffer"]
    core.executeBranchDelay = system["core.branch_delay"]
    core.executeFuncUnits = make_minor_units(system)
    core.branchPred = make_branch_predictor(system)
    return core


def make_o3_units(system):
    descriptions = []
    for _, count, operations in operations_by_unit(system):
        classes = []
        for operation in operations:
            latency = system[f"core.operations.{operation}.latency"]
            pipelined = system[f"core.operations.{operation}.interval"] == 1
            classes += [OpDesc(opClass=name, opLat=latency, pipelined=pipelined) for name in CLASSES[operation]]
        descriptions.append(FUDesc(opList=classes, count=count))
    return FUPool(FUList=descriptions)


def make_o3(system, number):
    core = X86O3CPU(cpu_id=number)
    core.fetchWidth = core.decodeWidth = system["core.front_width"]
    core.renameWidth = system["core.rename_width"]
    core.dispatchWidth = core.issueWidth = core.wbWidth = system["core.issue_width"]
    core.commitWidth = system["core.commit_width"]
    core.squashWidth = system["core.squash_width"]
    core.numROBEntries = system["core.window"]
    core.numIQEntries = system["core.issue_queue"]
    core.LQEntries = system["core.load_queue"]
    core.SQEntries = system["core.store_buffer"]
    core.numPhysIntRegs = system["core.integer_registers"]
    core.numPhysFloatRegs = system["core.float_registers"]
    core.fetchQueueSize = system["core.fetch_queue"]
    core.fetchToDecodeDelay = system["core.fetch_to_decode"]
    core.decodeToRenameDelay = system["core.decode_to_rename"]
    core.renameToIEWDelay = system["core.rename_to_issue"]
    core.issueToExecuteDelay = system["core.issue_to_execute"]
    core.iewToCommitDelay = system["core.execute_to_commit"]
    core.commitToFetchDelay = system["core.commit_to_fetch"]
    deepest = max(system[f"core.{stage}"] for stage in ("fetch_to_decode", "decode_to_rename", "rename_to_issue"))
    core.forwardComSize = core.backComSize = max(5, deepest + 1)
    core.fuPool = make_o3_units(system)
    core.branchPred = make_branch_predictor(system)
    return core


def make_blocking(system, number):
    return X86TimingSimpleCPU(cpu_id=number)


MODELS = {"blocking": make_blocking, "inorder": make_minor, "ooo": make_o3}


def set_translation(system, core):
    """gem5's page table walks are never free. Where the system says they are, its TLBs are so large that
    there are few of them."""
    ideal = choose(system, "mmu.model", {"ideal": True, "tlb": False})
    core.mmu.itb.size = 1024 if ideal else system["mmu.itlb.entries"]
    core.mmu.dtb.size = 1024 if ideal else system["mmu.dtlb.entries"]
    if not ideal:
        note("gem5's x86 TLBs are fully associative, with no second level and no walk cache")


def make_measured_core(system, number):
    core = choose(system, "core.model", MODELS)(system, number)
    set_translation(system, core)
    return core


def make_other_core(system, number):
    if system.get("core.others") != "blocking":
        return make_measured_core(system, number)
    core = make_blocking(system, number)
    set_translation(system, core)
    return core


def make_kvm_core(number):
    from m5.objects import X86KvmCPU  # noqa: PLC0415 -- only where gem5 was built with it

    return X86KvmCPU(cpu_id=number, usePerf=False)


def make_boot_core(kind, number):
    if kind == "kvm":
        return make_kvm_core(number)
    core = X86AtomicSimpleCPU(cpu_id=number)
    core.mmu.itb.size = core.mmu.dtb.size = BOOT_TLB_ENTRIES
    return core


def processor(cores):
    return BaseCPUProcessor([BaseCPUCore(core=core, isa=ISA.X86) for core in cores])


def make_boot_processor(system, kind):
    return processor([make_boot_core(kind, number) for number in range(system["cores"])])


def make_processor(system, measured):
    return processor([(make_measured_core if number == measured else make_other_core)(system, number) for number in range(system["cores"])])
