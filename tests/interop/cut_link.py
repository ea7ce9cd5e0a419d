"""The link between two machines, which are network namespaces, goes down while they train: both end with an error that names
the rank that is missing. Run bare, and by torchrun."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

import torchrun

SOURCE = pathlib.Path(os.environ["AUDYN_SOURCE_DIR"])
PROGRAM = pathlib.Path(os.environ["AUDYN_BIN_DIR"], "integration", "faulty_rank")
TIMEOUT = 4  # of a collective, in seconds
LIMIT = 5  # seconds from there to the end of all


def command(name, *overrides):
    return [PROGRAM, "--config-dir", SOURCE / "examples" / "minimal" / "conf", "system=cpu_ddp",
            f"train.output.exp_dir={name}", f"train.output.tensorboard_dir={name}/tensorboard",
            f"system.distributed.timeout={TIMEOUT}", "train.steps.epochs=1000", "+pause=5", *overrides]


class CutLink(torchrun.Machines, unittest.TestCase):
    def start(self, node, words, **variables):
        log = open(f"{self.id().split('.')[-1]}.{node}", "w+", encoding="utf-8")
        self.addCleanup(log.close)
        process = subprocess.Popen(self.inside(node, *words), stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                                   env={**torchrun.ENVIRONMENT, "OMP_NUM_THREADS": "1", **variables})
        self.addCleanup(self.end, node, process)
        process.log = pathlib.Path(log.name)
        return process

    def processes(self, node):
        """Those on a node, beside what holds it."""
        holder = self.holders[node].pid
        network = os.readlink(f"/proc/{holder}/ns/net")
        result = {}
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(process / "ns/net") == network and process.name != str(holder):
                    result[int(process.name)] = pathlib.Path(os.readlink(process / "exe"))
            except OSError:  # it has ended
                pass
        return result

    def end(self, node, process):
        for pid in self.processes(node):
            os.kill(pid, signal.SIGKILL)
        process.wait()

    def cut(self, nodes, at):
        """Takes the link down once the nodes train. Gives by node the end of each, in seconds."""
        limit = time.monotonic() + 90
        while "Iter 10/" not in nodes[0].log.read_text():
            for node in nodes:
                self.assertIsNone(node.poll(), node.log.read_text())
            self.assertLess(time.monotonic(), limit, nodes[0].log.read_text())
            time.sleep(0.02)
        self.ip(at, "link", "set", "link0", "down")
        begin = time.monotonic()
        ends = {}
        while len(ends) < len(nodes) and time.monotonic() - begin < 60:
            for number in range(len(nodes)):
                if number not in ends and PROGRAM.resolve() not in self.processes(number).values():
                    ends[number] = time.monotonic() - begin
            time.sleep(0.02)
        print(f"  {ends}", file=sys.stderr)
        for number, node in enumerate(nodes):
            self.assertLess(ends.get(number, 60), TIMEOUT + LIMIT, node.log.read_text()[-3000:])
        return ends

    def check_messages(self, nodes):
        self.assertRegex(nodes[0].log.read_text(), r"error: .*rank 1 gives no sign of life")
        self.assertRegex(nodes[1].log.read_text(), r"error: .*rank 0\b.*(gives no sign of life|has died)")

    def test_bare(self):
        for at in (0, 1):
            with self.subTest(at=at):
                shutil.rmtree("bare", ignore_errors=True)
                for node in (0, 1):
                    self.ip(node, "link", "set", "link0", "up")
                nodes = [self.start(rank, command(f"bare/{rank}"), RANK=str(rank), WORLD_SIZE="2", LOCAL_RANK="0",
                                    LOCAL_WORLD_SIZE="1", MASTER_ADDR=self.ADDRESSES[0], MASTER_PORT=str(29600 + at))
                         for rank in (0, 1)]
                self.cut(nodes, at)
                self.assertEqual([node.wait(timeout=1) for node in nodes], [1, 1])
                self.check_messages(nodes)
                self.assertEqual([self.processes(node) for node in (0, 1)], [{}, {}])

    def test_torchrun(self):
        shutil.rmtree("elastic", ignore_errors=True)
        nodes = [self.start(node, command(f"elastic/{node}", "system.distributed.nodes=2",
                                          "system.distributed.nproc_per_node=1", "system.distributed.max_restarts=0",
                                          f"system.distributed.rdzv_endpoint={self.ADDRESSES[0]}:29400",
                                          "system.distributed.rdzv_id=cut"),
                            PET_LOCAL_ADDR=address, PET_NODE_RANK=str(node), PET_RDZV_CONF=f"is_host={1 - node}")
                 for node, address in enumerate(self.ADDRESSES)]
        self.cut(nodes, 1)
        self.check_messages(nodes)
        # Its agent on the other machine waits for the rendezvous, for longer than a test may take.
        self.assertEqual(nodes[0].wait(timeout=60), 1, nodes[0].log.read_text()[-3000:])


if __name__ == "__main__":
    if missing := torchrun.namespaces():
        print(f"two machines were not tried: {missing}", file=sys.stderr)
        sys.exit(77)
    unittest.main(verbosity=2, argv=sys.argv)
