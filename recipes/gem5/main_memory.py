"""Main memory: `memory.model` fixed or ddr4."""

from gem5.components.memory.memory import ChanneledMemory
from gem5.components.memory.simple import SingleChannelSimpleMemory
from m5.objects import DDR4_2400_8x8

from legal import choose


def fixed(system):
    return SingleChannelSimpleMemory(
        latency=f"{system['memory.latency']}ps",
        latency_var="0ns",
        bandwidth="0B/s",  # unlimited
        size=f"{system['memory.size']}B",
    )


def ddr4(system):
    memory = ChanneledMemory(
        DDR4_2400_8x8,
        system["memory.channels"],
        system["caches.line_size"],
        size=f"{system['memory.size']}B",
    )
    for controller in memory.get_memory_controllers():
        # What the controller takes by itself, half before and half after the DRAM.
        half = f"{system['memory.latency'] // 2}ps"
        controller.static_frontend_latency = half
        controller.static_backend_latency = half
        dram = controller.dram
        dram.ranks_per_channel = system["memory.ranks"]
        dram.banks_per_rank = system["memory.banks"]
        dram.device_rowbuffer_size = f"{system['memory.row_size'] // 8}B"  # eight devices a rank
        for timing, key in {"tRCD": "t_rcd", "tCL": "t_cl", "tRP": "t_rp", "tRAS": "t_ras", "tBURST": "t_burst"}.items():
            setattr(dram, timing, f"{system['memory.' + key]}ps")
    return memory


def make_memory(system):
    return choose(system, "memory.model", {"fixed": fixed, "ddr4": ddr4})(system)
