"""The caches of a system: private L1s, any of L2, L3 and LLC, gem5's classic caches."""

from gem5.components.cachehierarchies.classic.abstract_classic_cache_hierarchy import (
    AbstractClassicCacheHierarchy,
)
from m5.objects import (
    BRRIPRP,
    LRURP,
    NULL,
    BadAddr,
    Cache,
    L2XBar,
    RandomRP,
    SnoopFilter,
    StridePrefetcher,
    SystemXBar,
    TaggedPrefetcher,
    TreePLRURP,
)

from legal import choose


def make_replacement(system, key):
    policies = {
        "lru": LRURP,
        "plru": TreePLRURP,
        "srrip": lambda: BRRIPRP(btp=100),  # always inserted long: static
        "random": RandomRP,
    }
    return choose(system, key, policies)()


def make_prefetcher(system, prefix):
    def parameter(name):
        return system[f"{prefix}.{name}"]

    kinds = {
        "none": lambda: NULL,
        "next_line": lambda: TaggedPrefetcher(degree=parameter("degree")),
        "stride": lambda: StridePrefetcher(
            degree=parameter("degree"),
            distance=parameter("distance"),
            table_entries=str(parameter("entries")),
        ),
    }
    return choose(system, f"{prefix}.name", kinds)()


def make_cache(system, name, **more):
    def parameter(key, otherwise=None):
        return system.get(f"caches.{name}.{key}", otherwise)

    return Cache(
        size=f"{parameter('size')}B",
        assoc=parameter("associativity"),
        tag_latency=parameter("tag_latency"),
        data_latency=parameter("data_latency"),
        response_latency=parameter("response_latency"),
        mshrs=parameter("mshrs"),
        tgts_per_mshr=20,  # gem5's own for its L1s; the system files leave targets unlimited
        write_buffers=parameter("write_buffers", 8),
        replacement_policy=make_replacement(system, f"caches.{name}.replacement"),
        prefetcher=make_prefetcher(system, f"caches.{name}.prefetcher"),
        **more,
    )


def make_bus(system, kind, name):
    def parameter(key):
        return system[f"buses.{name}.{key}"]

    return kind(
        width=parameter("width"),
        frontend_latency=parameter("frontend_latency"),
        forward_latency=parameter("forward_latency"),
        response_latency=parameter("response_latency"),
        snoop_filter=SnoopFilter(lookup_latency=parameter("snoop_filter_latency"), max_capacity="64MB"),
    )


class SystemCaches(AbstractClassicCacheHierarchy):
    """Below the L1s one or more levels. A private level is one cache a core with a bus in front, for the
    L1s of that core; a shared one has one bus for all. The page table walkers, which in these systems have
    no caches of their own, are on the bus of the first level."""

    def __init__(self, system):
        super().__init__()
        self._system = system
        self._levels = [name for name in ("l2", "l3", "llc") if f"caches.{name}.size" in system]
        self.membus = make_bus(system, SystemXBar, "memory")
        self.membus.badaddr_responder = BadAddr()
        self.membus.default = self.membus.badaddr_responder.pio

    def get_mem_side_port(self):
        return self.membus.mem_side_ports

    def get_cpu_side_port(self):
        return self.membus.cpu_side_ports

    def _clusivity(self, name):
        return choose(
            self._system,
            f"caches.{name}.inclusion",
            {"mostly_inclusive": "mostly_incl", "exclusive": "mostly_excl"},
        )

    def _above_exclusive(self, index):
        """Whether the level after this one (-1: the L1s) is exclusive: it then wants clean lines, too."""
        below = self._levels[index + 1 : index + 2]
        return bool(below) and self._clusivity(below[0]) == "mostly_excl"

    def _add_level(self, index, requestors):
        """Put the level below the requestors, one list of ports a core; what it is to the next."""
        system, name = self._system, self._levels[index]
        shared = choose(system, f"caches.{name}.sharing", {"private": False, "shared": True})
        groups = [[port for ports in requestors for port in ports]] if shared else requestors
        caches, buses = [], []
        for ports in groups:
            bus = make_bus(system, L2XBar, name)
            cache = make_cache(
                system,
                name,
                clusivity=self._clusivity(name),
                writeback_clean=self._above_exclusive(index),
            )
            for port in ports:
                bus.cpu_side_ports = port
            bus.mem_side_ports = cache.cpu_side
            buses.append(bus)
            caches.append(cache)
        setattr(self, f"{name}bus", buses)
        setattr(self, f"{name}caches", caches)
        return [[cache.mem_side] for cache in caches]

    def incorporate_cache(self, board):
        system = self._system
        cores = board.get_processor().get_cores()
        board.connect_system_port(self.membus.cpu_side_ports)
        for _, port in board.get_memory().get_mem_ports():
            self.membus.mem_side_ports = port
        clean = self._above_exclusive(-1)
        self.l1icaches = [make_cache(system, "l1i", is_read_only=True, writeback_clean=clean) for _ in cores]
        self.l1dcaches = [make_cache(system, "l1d", writeback_clean=clean) for _ in cores]
        requestors = []
        for core, l1i, l1d in zip(cores, self.l1icaches, self.l1dcaches):
            core.connect_icache(l1i.cpu_side)
            core.connect_dcache(l1d.cpu_side)
            mmu = core.get_mmu()
            requestors.append([l1i.mem_side, l1d.mem_side, mmu.itb.walker.port, mmu.dtb.walker.port])
            core.connect_interrupt(self.membus.mem_side_ports, self.membus.cpu_side_ports)
        for index in range(len(self._levels)):
            requestors = self._add_level(index, requestors)
        for ports in requestors:
            for port in ports:
                self.membus.cpu_side_ports = port
        self._add_io_cache(board)

    def _add_io_cache(self, board):
        """What devices read and write stays coherent with the caches; sizes as in gem5's own hierarchies."""
        self.iocache = Cache(
            size="1kB",
            assoc=8,
            tag_latency=50,
            data_latency=50,
            response_latency=50,
            mshrs=20,
            tgts_per_mshr=12,
            addr_ranges=board.mem_ranges,
        )
        self.iocache.mem_side = self.membus.cpu_side_ports
        self.iocache.cpu_side = board.get_mem_side_coherent_io_port()
