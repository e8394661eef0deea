"""Run by gem5 (v24.0's standard library), started by slsuite: gem5 --outdir=FOLDER run.py JOB.json

JOB.json:
    system        every parameter of the system's file: "caches.l1i.size": 16384; bytes, Hz, ps, cycles
    kernel        vmlinux
    command_line  the kernel's
    disks         the base root file system, and what else the function lies on: at most four
    readfile      what the guest has from `m5 readfile`
    boot_core     "atomic" or "kvm": boot, and save the checkpoint that the guest asks for
    restore       whether to go on from that checkpoint instead, on the system's own cores
    check         only make that machine, and say whether gem5 can
    checkpoint    the checkpoint's folder
    measured      number of the core that runs the function alone

What it tells slsuite, on standard output, a line each, the first word "slsuite:":
    at TICK INSTRUCTIONS    how far the guest's clock (ps) and all cores together are; once a millisecond
    begin ID, end ID        a work item; at its end stats.txt has one more block
    checkpoint              it is saved; gem5 ends
    exit, fail CODE         the guest's m5 exit or fail; gem5 ends
    panic                   its kernel's; gem5 ends
    supported, unsupported TEXT    whether the system can be had from gem5
"""

import json
import sys
from pathlib import Path

import m5
from m5.defines import buildEnv

if not buildEnv.get("PROTOCOL"):  # built without Ruby, which the standard library does not expect
    buildEnv["PROTOCOL"] = "MI_example"  # never used: the caches are classic ones

from gem5.simulate.exit_event import ExitEvent
from gem5.simulate.simulator import Simulator

from board import Board, BootCaches
from caches import SystemCaches
from cores import make_boot_processor, make_processor
from legal import Unsupported
from main_memory import fixed, make_memory

REPORT_TICKS = 10**9  # a millisecond of the guest's


def tell(*words):
    print("slsuite:", *words, flush=True)


def make_board(job):
    system = job["system"]
    clock = f"{system['clock']}Hz"
    if job["restore"]:
        return Board(clock, make_processor(system, job["measured"]), make_memory(system), SystemCaches(system))
    memory = fixed(system | {"memory.latency": 0})
    return Board(clock, make_boot_processor(system, job["boot_core"]), memory, BootCaches())


class Run:
    def __init__(self, job):
        self.job = job
        self.board = make_board(job)
        self.board.set_workload(job)
        if job["restore"]:
            self.board._checkpoint = Path(job["checkpoint"])
        self.simulator = Simulator(
            board=self.board,
            max_ticks=REPORT_TICKS,
            on_exit_event={
                ExitEvent.MAX_TICK: self.report,
                ExitEvent.WORKBEGIN: self.begin,
                ExitEvent.WORKEND: self.end,
                ExitEvent.CHECKPOINT: self.save,
                ExitEvent.EXIT: lambda: tell("exit") or True,
                ExitEvent.FAIL: lambda: tell("fail", self.simulator.get_last_exit_event_code()) or True,
                ExitEvent.KERNEL_PANIC: lambda: tell("panic") or True,
                ExitEvent.KERNEL_OOPS: lambda: tell("panic") or True,
            },
        )

    def report(self):
        cores = self.board.get_processor().get_cores()
        tell("at", m5.curTick(), sum(core.get_simobject().totalInsts() for core in cores))
        return True

    def begin(self):
        m5.stats.reset()
        tell("begin", self.simulator.get_last_exit_event_code())
        return False

    def end(self):
        m5.stats.dump()
        tell("end", self.simulator.get_last_exit_event_code())
        return False

    def save(self):
        if self.job["restore"]:
            return False
        for core in self.board.get_processor().get_cores():
            core.get_simobject().flushTLBs()
        self.simulator.save_checkpoint(self.job["checkpoint"])
        tell("checkpoint")
        return True

    def run(self):
        while True:
            self.simulator.run()
            if self.simulator.get_last_exit_event_cause() != "simulate() limit reached":
                return


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    try:
        run = Run(job)
        if job["check"]:
            run.board._pre_instantiate()  # what the simulator does first: it makes the caches
            tell("supported")
        else:
            run.run()
    except Unsupported as reason:
        tell("unsupported", reason)


main()
