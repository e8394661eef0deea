"""gem5's x86 board with several IDE disks, all read-only: what the guest writes, it writes to memory. gem5 has
room for four."""

from gem5.components.boards.x86_board import X86Board
from gem5.components.cachehierarchies.classic.no_cache import NoCache
from m5.objects import NULL, BadAddr, CowDiskImage, IdeDisk, RawDiskImage, SystemXBar


class BootCaches(NoCache):
    """None: nothing is measured. gem5's snoop filter expects caches, so the bus is without one."""

    def __init__(self):
        membus = SystemXBar(width=64, snoop_filter=NULL)
        membus.badaddr_responder = BadAddr()
        membus.default = membus.badaddr_responder.pio
        super().__init__(membus=membus)


class Board(X86Board):
    def set_workload(self, job):
        """What job.json says: kernel, command line, disks, the file for `m5 readfile`, checkpoint."""
        self._set_fullsystem(True)
        self.workload.object_file = job["kernel"]
        self.workload.command_line = job["command_line"]
        self.readfile = job["readfile"]
        self.exit_on_work_items = True
        self.pc.south_bridge.ide.disks = [
            IdeDisk(
                driveID=f"device{number % 2}",
                image=CowDiskImage(child=RawDiskImage(read_only=True, image_file=path), read_only=False),
            )
            for number, path in enumerate(job["disks"])
        ]
