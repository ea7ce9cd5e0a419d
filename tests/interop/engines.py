"""Real Slurm, OpenMPI and MPICH start a program without libtorch on two ranks, which know who they are. Each engine is that
of this machine or one that was unpacked below AUDYN_ENGINES_DIR; none of them needs root."""

import getpass
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

PROGRAM = pathlib.Path(os.environ["AUDYN_BIN_DIR"]) / "launch_program"
UNPACKED = pathlib.Path(os.environ.get("AUDYN_ENGINES_DIR", "/nowhere"))
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
FOLDER = pathlib.Path("engines").absolute()
missing = []


def clean():
    return {name: value for name, value in os.environ.items()
            if name not in ("RANK", "WORLD_SIZE") and not name.startswith(("SLURM_", "OMPI_", "PMI", "MPI_"))}


class Engine:
    """Where an engine's programs are, and what they need to run there."""

    def __init__(self, package, *folders):
        self.root = UNPACKED / package
        self.environment = clean()
        self.environment["LD_LIBRARY_PATH"] = ":".join(
            [str(self.root / LIBRARIES / folder) for folder in ("", *folders)] + [os.environ.get("LD_LIBRARY_PATH", "")])

    def program(self, *names):
        """The first that exists: installed, or else unpacked."""
        for name in names:
            if found := shutil.which(name, path=PATH):
                return found
        for name in names:
            for folder in ("usr/bin", "usr/sbin"):
                if (self.root / folder / name).exists():
                    return str(self.root / folder / name)
        return None


def fields(line):
    """Of a line in which a process tells who it is."""
    return dict(re.findall(r"(\w+)=((?:(?! \w+=).)*)", line[line.index("rank="):]))


class Ranks(unittest.TestCase):
    def run_engine(self, command, environment, code=0, **options):
        process = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, check=False,
                                 env=environment, **options)
        self.assertEqual(process.returncode, code, process.stdout + process.stderr)
        return process.stdout + process.stderr

    def check_ranks(self, output, engine, count=2):
        processes = sorted((fields(line) for line in output.splitlines() if "local_world_size=" in line),
                           key=lambda process: int(process["rank"]))
        self.assertEqual([process["rank"] for process in processes], [str(rank) for rank in range(count)], output)
        for process in processes:
            self.assertEqual(process["started_by"], engine)
            self.assertEqual((process["world_size"], process["local_world_size"], process["local_rank"], process["nodes"],
                              process["node_rank"]), (str(count), str(count), process["rank"], "1", "0"))
        self.assertEqual(len({(process["master"], process["run_id"]) for process in processes}), 1)
        self.assertRegex(processes[0]["master"], r"^127\.0\.0\.1:2\d{4}$")
        return processes[0]


class OpenMPI(Ranks):
    def setUp(self):
        self.engine = Engine("openmpi-bin", "openmpi/lib", "pmix2/lib")
        self.mpirun = self.engine.program("mpirun.openmpi", "orterun")
        if not self.mpirun:
            missing.append("OpenMPI")
            self.skipTest("no OpenMPI")
        self.environment = self.engine.environment
        self.environment["OMPI_MCA_mca_base_component_show_load_errors"] = "0"
        if self.mpirun.startswith(str(self.engine.root)):
            self.environment["OPAL_PREFIX"] = str(self.engine.root / "usr")
        self.command = [self.mpirun, *(["--allow-run-as-root"] if os.getuid() == 0 else []), "--oversubscribe", "-n", "2"]

    def test_ranks(self):
        first = self.check_ranks(self.run_engine([*self.command, PROGRAM], self.environment), "OpenMPI's mpirun")
        second = self.check_ranks(self.run_engine([*self.command, "sh", "-c", f"{PROGRAM}; true"], self.environment),
                                  "OpenMPI's mpirun")
        self.assertNotEqual(first["run_id"], second["run_id"])

    def test_a_failure_ends_the_others(self):
        begin = time.monotonic()
        self.run_engine([*self.command, PROGRAM, "+rank_1=['exit:3']", "+rank_0=['sleep:60']"], self.environment, code=3)
        self.assertLess(time.monotonic() - begin, 30)


class MPICH(Ranks):
    def setUp(self):
        self.engine = Engine("mpich")
        self.mpiexec = self.engine.program("mpiexec.hydra")
        if not self.mpiexec:
            missing.append("MPICH")
            self.skipTest("no MPICH")
        self.command = [self.mpiexec, "-n", "2"]

    def test_ranks(self):
        first = self.check_ranks(self.run_engine([*self.command, PROGRAM], self.engine.environment), "mpiexec")
        # A script between the engine and the program does not part the ranks.
        second = self.check_ranks(
            self.run_engine([*self.command, "sh", "-c", f"{PROGRAM}; true"], self.engine.environment), "mpiexec")
        self.assertNotEqual(first["run_id"], second["run_id"])

    def test_a_port_that_was_chosen(self):
        out = self.run_engine([*self.command, "-genv", "MASTER_PORT", "12345", PROGRAM], self.engine.environment)
        self.assertEqual(out.count("master=127.0.0.1:12345"), 2)


class Slurm(Ranks):
    """A controller and a daemon of its own, for this machine as the only node."""

    daemons = []

    @classmethod
    def setUpClass(cls):
        engine = Engine("slurm", "slurm-wlm")
        controller = engine.program("slurmctld", "slurmctld-wlm")
        daemon = engine.program("slurmd", "slurmd-wlm")
        step_daemon = engine.program("slurmstepd", "slurmstepd-wlm")
        cls.srun = engine.program("srun")
        if not (controller and daemon and cls.srun):
            missing.append("Slurm")
            raise unittest.SkipTest("no Slurm")
        cls.bin = pathlib.Path(cls.srun).parent
        folder = FOLDER / "slurm"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "state").mkdir(parents=True)
        (folder / "spool").mkdir()
        host = socket.gethostname().split(".")[0]
        ports = [cls.free_port() for _ in range(2)]
        plugins = engine.root / LIBRARIES / "slurm-wlm"
        (folder / "slurm.conf").write_text(f"""
ClusterName=audyn
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/none
CredType=cred/none
SlurmUser={getpass.getuser()}
SlurmdUser={getpass.getuser()}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
{f"PluginDir={plugins}" if plugins.is_dir() else ""}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName={host} NodeAddr=127.0.0.1 CPUs=2
PartitionName=all Nodes=ALL Default=YES
""")
        cls.environment = {**engine.environment, "SLURM_CONF": str(folder / "slurm.conf"), "PATH": f"{cls.bin}:{PATH}"}
        cls.addClassCleanup(cls.stop)
        for command in ([controller, "-D", "-c"], [daemon, "-D", *(["-d", step_daemon] if step_daemon else [])]):
            cls.daemons.append(subprocess.Popen(command, env=cls.environment, stdout=subprocess.DEVNULL,
                                                stderr=subprocess.DEVNULL, start_new_session=True))
        limit = time.monotonic() + 60
        while "idle" not in subprocess.run([cls.bin / "sinfo", "-h", "-o", "%T"], capture_output=True, text=True,
                                           check=False, env=cls.environment).stdout:
            if time.monotonic() > limit:
                raise AssertionError("Slurm did not start:\n" + "".join(
                    (folder / name).read_text() for name in ("slurmctld.log", "slurmd.log") if (folder / name).exists()))
            time.sleep(0.2)

    @classmethod
    def stop(cls):
        for daemon in reversed(cls.daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    @staticmethod
    def free_port():
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            return listener.getsockname()[1]

    def run_slurm(self, program, *arguments, code=0):
        return self.run_engine([self.bin / program, *arguments], self.environment, code, cwd=FOLDER / "slurm")

    def test_ranks(self):
        first = self.check_ranks(self.run_slurm("srun", "-n", "2", PROGRAM), "srun")
        second = self.check_ranks(self.run_slurm("srun", "-n", "2", PROGRAM, "system=cpu_ddp"), "srun")
        self.assertNotEqual(first["master"], second["master"])

    def test_the_shell_of_an_allocation_is_no_rank(self):
        out = self.run_slurm("salloc", "-Q", "-n", "2", PROGRAM)
        self.assertIn("world_size=1 ", out)
        self.assertIn("started_by=nothing", out)
        self.check_ranks(self.run_slurm("salloc", "-Q", "-n", "2", "srun", PROGRAM), "srun")
        out = self.run_slurm("salloc", "-Q", "-n", "2", PROGRAM, "system=cpu_ddp", "system.distributed.nproc_per_node=2")
        self.assertEqual(out.count("started_by=the built-in launcher"), 2)

    def test_the_script_of_a_job_is_no_rank(self):
        script = FOLDER / "slurm/job.sh"
        script.write_text(f"#!/bin/sh\n{PROGRAM}\necho then\nsrun {PROGRAM}\n")
        self.run_slurm("sbatch", "-Q", "-W", "-n", "2", "-o", "job.out", script)
        own, ranks = (FOLDER / "slurm/job.out").read_text().split("then\n")
        self.assertIn("started_by=nothing", own)
        self.check_ranks(ranks, "srun")

    def test_one_task_starts_workers(self):
        out = self.run_slurm("srun", "-n", "1", "-c", "2", PROGRAM, "system=cpu_ddp", "system.distributed.nproc_per_node=2")
        self.assertEqual(out.count("started_by=the built-in launcher"), 2)

    def test_workers_save_when_slurm_signals_all_processes(self):
        process = subprocess.Popen([self.srun, "-n", "1", "-c", "2", "-J", "signalled", PROGRAM, "system=cpu_ddp",
                                    "system.distributed.nproc_per_node=2", "+actions=['train:60']"],
                                   env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        out = ""
        while out.count("training") < 2:
            line = process.stdout.readline()
            self.assertNotEqual(line, "", out)
            out += line
        job = self.run_slurm("squeue", "-h", "-n", "signalled", "-o", "%A").strip()
        self.run_slurm("scancel", "--signal=TERM", job)
        rest, _ = process.communicate(timeout=60)
        self.assertEqual(rest.count("saved and left"), 2, out + rest)
        self.assertEqual(process.returncode, 143)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    success = unittest.main(verbosity=2, exit=False).result.wasSuccessful()
    if missing:
        print("not on this machine: " + ", ".join(sorted(set(missing))), file=sys.stderr)
    sys.exit(1 if not success else 77 if missing else 0)
