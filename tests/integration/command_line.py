"""Runs a program without libtorch from its command line: folders of runs, sweeps, comparisons, completion."""

import fcntl
import os
import pathlib
import pty
import re
import resource
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

PROGRAM = pathlib.Path(os.environ["AUDYN_BIN_DIR"]) / "config_program"

FILES = {
    "conf/config.yaml": """
defaults:
  - optimizer: adam
  - _self_
seed: 1
name: model
behaviour: succeed
amp: true
nested: {list: [1, 2], text: "two words", copy: "${seed}"}
""",
    "conf/optimizer/adam.yaml": "name: adam\nlr: 1e-3\n",
    "conf/optimizer/sgd.yaml": "name: sgd\nlr: 0.1\nmomentum: 0\n",
    "other/optimizer/adam.yaml": "name: other\nlr: 2\n",
}


def command(*arguments):
    return [str(PROGRAM), "--config-path", "conf", *arguments]


def run(*arguments, check=True):
    process = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=60, check=False)
    if check and process.returncode != 0:
        raise AssertionError(f"{arguments} failed:\n{process.stdout}\n{process.stderr}")
    return process


class Folder(unittest.TestCase):
    """Each test works in a folder of its own, which holds nothing but the configuration."""

    def setUp(self):
        self.folder = pathlib.Path(self.id().rsplit(".", 1)[1]).absolute()
        shutil.rmtree(self.folder, ignore_errors=True)
        for name, text in FILES.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.before = os.getcwd()
        os.chdir(self.folder)

    def tearDown(self):
        os.chdir(self.before)

    def made(self):
        return sorted(path.name for path in self.folder.iterdir() if path.name not in ("conf", "other"))

    def fails(self, words, *arguments):
        process = run(*arguments, check=False)
        self.assertEqual(process.returncode, 1, process.stdout + process.stderr)
        self.assertEqual(process.stderr.count("error:"), 1, process.stderr)
        for word in words:
            self.assertIn(word, process.stderr)
        return process


class Runs(Folder):
    def test_a_run_leaves_its_record(self):
        run("seed=3", "optimizer=sgd", "hydra.run.dir=runs/${name}")
        record = pathlib.Path("runs/model/.hydra")
        self.assertEqual(sorted(path.name for path in record.iterdir()),
                         ["config.yaml", "hydra.yaml", "overrides.yaml", "resolved_config.yaml"])
        self.assertEqual((record / "overrides.yaml").read_text(), "- seed=3\n- optimizer=sgd\n")
        self.assertEqual((record / "config.yaml").read_text(), run("--cfg", "job", "seed=3", "optimizer=sgd").stdout)
        self.assertEqual((record / "resolved_config.yaml").read_text(),
                         run("--cfg", "job", "--resolve", "seed=3", "optimizer=sgd").stdout)
        hydra = (record / "hydra.yaml").read_text()
        for part in ("  mode: RUN\n", "    hydra:\n    - hydra.run.dir=runs/${name}\n    - hydra.mode=RUN\n",
                     "    task:\n    - seed=3\n    - optimizer=sgd\n", "    name: config_program\n",
                     "    override_dirname: optimizer=sgd,seed=3\n", "    config_name: config\n",
                     f"    output_dir: {self.folder}/runs/model\n", f"    cwd: {self.folder}\n",
                     f"    - path: {self.folder}/conf\n      schema: file\n      provider: main\n",
                     "      optimizer: sgd\n"):
            self.assertIn(part, hydra)

    def test_the_default_folder_is_named_by_date_and_time(self):
        process = run()
        output = re.search(r"^output (.*)$", process.stdout, re.M).group(1)
        self.assertRegex(output, re.escape(str(self.folder)) + r"/outputs/\d{4}-\d\d-\d\d/\d\d-\d\d-\d\d$")
        self.assertTrue(pathlib.Path(output, ".hydra/config.yaml").is_file())
        self.assertIn(f"in {self.folder}\n", process.stdout)

    def test_chdir_environment_and_the_name_of_the_record(self):
        process = run("hydra.run.dir=x", "hydra.job.chdir=true", "behaviour=environment",
                      "+hydra.job.env_set.AUDYN_TEST_VARIABLE=${name}", "hydra.output_subdir=record")
        self.assertIn(f"in {self.folder}/x\n", process.stdout)
        self.assertIn("variable model\n", process.stdout)
        self.assertTrue(pathlib.Path("x/record/config.yaml").is_file())
        os.environ["AUDYN_TEST_COPIED"] = "from outside"
        run("hydra.run.dir=copied", "hydra.job.env_copy=[AUDYN_TEST_COPIED]")
        self.assertIn("    env_set:\n      AUDYN_TEST_COPIED: from outside\n",
                      pathlib.Path("copied/.hydra/hydra.yaml").read_text())
        self.fails(["the environment has no variable 'AUDYN_TEST_ABSENT'"], "hydra.job.env_copy=[AUDYN_TEST_ABSENT]")
        run("hydra.run.dir=y", "hydra.output_subdir=null")
        self.assertEqual(list(pathlib.Path("y").iterdir()), [])

    def test_what_is_no_run_leaves_nothing(self):
        for arguments in (["--help"], ["--version"], ["--cfg", "job"], ["--cfg", "all", "--resolve"], ["--info"],
                          ["--cfg", "diff", "config"], ["--shell-completion=bash"], ["+train.fast_dev_run=true"]):
            run(*arguments)
        self.fails(["sead", "seed"], "sead=3")
        self.fails(["nested.copy", "missing"], "nested.copy=${missing}")
        self.fails(["hydra.run.dir", "must be the name of a folder, not null"], "hydra.run.dir=null")
        self.fails(["'WALK'"], "hydra.mode=WALK")
        self.assertEqual(self.made(), [])

    def test_a_folder_that_cannot_be_made(self):
        pathlib.Path("taken").write_text("")
        self.fails(["taken/run' cannot be made: Not a directory"], "hydra.run.dir=taken/run")

    def test_hidden_files(self):
        process = run("--config-dir", "other", "--cfg", "job", "-p", "optimizer.name")
        self.assertEqual(process.stdout, "adam\n")
        self.assertEqual(process.stderr.count(
            "warning: 'conf/optimizer/adam.yaml' is used and shadows 'other/optimizer/adam.yaml'"), 1)
        self.assertIn("optimizer/adam: conf/optimizer/adam.yaml hides other/optimizer/adam.yaml\n",
                      run("--config-dir", "other", "--info", "searchpath").stdout)
        process = run("--config-dir", "other", "-m", "seed=1,2", "hydra.sweep.dir=sweep")
        self.assertEqual(process.stderr.count("warning:"), 1)


class Sweeps(Folder):
    def results(self, process):
        """Rows of the table at the end: job, status, seconds, folder, overrides."""
        rows = [line.strip("| ").split(" | ") for line in process.stdout.splitlines() if re.match(r"\| \d", line)]
        return [[cell.strip() for cell in row] for row in rows]

    def test_jobs_run_in_order_in_folders_of_their_own(self):
        process = run("-m", "seed=1,2", "optimizer=glob(*,exclude=[adam_ema,adamw,gan])", "hydra.sweep.dir=sweep",
                      "hydra.sweep.subdir=${hydra.job.num}-${optimizer.name}")
        rows = self.results(process)
        self.assertEqual([[row[0], row[1], row[3], row[4]] for row in rows], [
            ["0", "done", "sweep/0-adam", "seed=1 optimizer=adam"], ["1", "done", "sweep/1-sgd", "seed=1 optimizer=sgd"],
            ["2", "done", "sweep/2-adam", "seed=2 optimizer=adam"], ["3", "done", "sweep/3-sgd", "seed=2 optimizer=sgd"]])
        self.assertEqual(process.stdout.count(f"in {self.folder}\n"), 4)
        self.assertIn(f"output {self.folder}/sweep/3-sgd\n", process.stdout)
        record = pathlib.Path("sweep/2-adam/.hydra")
        self.assertEqual((record / "overrides.yaml").read_text(), "- seed=2\n- optimizer=adam\n")
        hydra = (record / "hydra.yaml").read_text()
        self.assertIn("    id: '2'\n    num: 2\n", hydra)
        self.assertIn("  mode: MULTIRUN\n", hydra)
        whole = pathlib.Path("sweep/multirun.yaml").read_text()
        self.assertIn("    task:\n    - seed=1,2\n    - optimizer=glob(*,exclude=[adam_ema,adamw,gan])\n", whole)
        self.assertTrue(whole.startswith("hydra:\n"))
        self.assertEqual(self.made(), ["sweep"])

    def test_a_failed_job_does_not_stop_the_others_unless_asked(self):
        arguments = ["-m", "behaviour=succeed,fail,kill,succeed", "hydra.sweep.dir=sweep"]
        process = run(*arguments, check=False)
        self.assertEqual(process.returncode, 1)
        self.assertEqual([row[1] for row in self.results(process)],
                         ["done", "failed (exit code 1)", "killed (Killed)", "done"])
        process = run(*arguments, "hydra.sweeper.stop_on_failure=true", check=False)
        self.assertEqual(process.returncode, 1)
        self.assertEqual([row[1] for row in self.results(process)],
                         ["done", "failed (exit code 1)", "not run", "not run"])

    def test_a_mistake_in_any_job_is_told_before_the_first_runs(self):
        self.fails(["no job was started", "optimizer/sdg", "optimizer/adma"], "-m", "optimizer=adam,sdg,adma")
        self.fails(["endlessly many values"], "-m", "seed=interval(0,1)")
        self.fails(["cannot be swept over"], "-m", "hydra.job.num=1,2")
        self.fails(["add --multirun"], "seed=1,2")
        self.assertEqual(self.made(), [])

    def test_the_configuration_may_ask_for_a_sweep(self):
        process = run("seed=1,2", "hydra.mode=MULTIRUN", "hydra.sweep.dir=sweep", "+hydra.sweeper.params={name: 'a,b'}")
        self.assertEqual([row[4] for row in self.results(process)],
                         ["name=a seed=1", "name=a seed=2", "name=b seed=1", "name=b seed=2"])

    def test_all_jobs_have_one_time(self):
        process = run("-m", "seed=1,2,3", "name=${now:%H%M%S}", "hydra.sweep.dir=sweep/${now:%H%M%S}")
        self.assertEqual(len(list(pathlib.Path("sweep").iterdir())), 1)
        self.assertEqual(len(self.results(process)), 3)

    def test_outputs_that_jobs_share_are_warned_about(self):
        arguments = ["-m", "seed=1,2", "hydra.sweep.dir=sweep"]
        process = run(*arguments, "+train.output.exp_dir=exp")
        self.assertIn("jobs 0 and 1 write to the same place ('train.output.exp_dir' is 'exp')", process.stderr)
        process = run(*arguments, "+train.output.exp_dir=${hydra:runtime.output_dir}/exp")
        self.assertEqual(process.stderr, "")
        process = run(*arguments, "hydra.sweep.subdir=same")
        self.assertIn("the folder of the job is", process.stderr)

    def interrupt(self, kill, *more):
        process = subprocess.Popen(command("-m", "behaviour=wait,succeed", "hydra.sweep.dir=sweep", *more),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        while not pathlib.Path("sweep/0/.hydra/resolved_config.yaml").exists():
            time.sleep(0.01)
        time.sleep(0.2)
        begin = time.monotonic()
        kill(process.pid)
        out, _ = process.communicate(timeout=20)
        self.assertLess(time.monotonic() - begin, 10)
        states = subprocess.run(["ps", "-o", "stat=", "-s", str(process.pid)], capture_output=True, text=True,
                                check=False).stdout.split()
        self.assertEqual([state for state in states if not state.startswith("Z")], [])
        return process.returncode, out

    def test_an_interrupt_ends_the_job_and_the_sweep(self):
        for kill, name, code in ((lambda pid: os.killpg(pid, signal.SIGINT), "Interrupt", 130),
                                 (lambda pid: os.kill(pid, signal.SIGINT), "Interrupt", 130),
                                 (lambda pid: os.kill(pid, signal.SIGTERM), "Terminated", 143)):
            shutil.rmtree("sweep", ignore_errors=True)
            returncode, out = self.interrupt(kill)
            self.assertEqual(returncode, code)
            self.assertRegex(out, rf"\| 0 +\| killed \({name}\) +\|")
            self.assertRegex(out, r"\| 1 +\| not run +\|")

    def test_a_job_does_not_outlive_its_sweep(self):
        returncode, _ = self.interrupt(lambda pid: os.kill(pid, signal.SIGKILL))
        self.assertEqual(returncode, -signal.SIGKILL)


class Comparison(Folder):
    def test_runs_and_configurations_are_compared(self):
        run("seed=3", "optimizer=sgd", "hydra.run.dir=first")
        run("seed=3", "hydra.run.dir=second")
        text = run("--cfg", "diff", "first", "second").stdout
        self.assertIn("optimizer.momentum\n  - 0  (first/.hydra/config.yaml:4:13)\n", text)
        self.assertIn("optimizer.name\n  - sgd  (first/.hydra/config.yaml:2:9)\n"
                      "  + adam  (second/.hydra/config.yaml:2:9)\n", text)
        self.assertIn("3 keys differ.\n", text)
        self.assertIn("seed\n  - 3  (second/.hydra/config.yaml:4:7)\n  + 1  (conf/config.yaml:5:7)\n1 key differs.\n",
                      run("--cfg", "diff", "second").stdout)
        self.assertIn("No key differs.\n", run("--cfg", "diff", "second", "seed=3").stdout)
        self.assertIn("No key differs.\n", run("--cfg", "diff", "second/.hydra/resolved_config.yaml", "second").stdout)
        self.fails(["cannot find the primary configuration 'third'"], "--cfg", "diff", "third")


class Completion(Folder):
    def complete(self, line):
        """What bash would offer for the word at the end of the line."""
        words = re.findall(r"[^\s=:]+|[=:]|\s(?=$)", line)
        words = ["" if word.isspace() else word for word in words]
        script = "\n".join([
            f'eval "$({PROGRAM} --shell-completion=bash)"', f"COMP_LINE={quoted(line)}", f"COMP_POINT={len(line)}",
            f"COMP_WORDS=({' '.join(quoted(word) for word in words)})", f"COMP_CWORD={len(words) - 1}",
            "_audyn_complete", 'printf "%s\\n" "${COMPREPLY[@]}"'])
        process = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(process.stderr, "")
        return [reply for reply in process.stdout.split("\n") if reply]

    def test_bash(self):
        start = f"{PROGRAM} -cp conf "
        self.assertEqual(self.complete(start + "opti"), ["optimizer.", "optimizer="])
        self.assertEqual(self.complete(start + "optimizer="), ["adam ", "adam_ema ", "adamw ", "gan ", "sgd "])
        self.assertEqual(self.complete(start + "optimizer=sgd optimizer.m"), ["optimizer.momentum="])
        self.assertEqual(self.complete(start + "amp="), ["false ", "true "])
        self.assertEqual(self.complete(start + "nested.li"), ["nested.list."])
        self.assertEqual(self.complete(start + "--cfg "), ["all ", "diff ", "hydra ", "job "])
        self.assertEqual(self.complete(start + "zzz"), [])
        self.assertEqual(self.complete("/bin/true opti"), [])

    def test_a_program_with_an_odd_path(self):
        odd = self.folder / "it's odd"
        odd.mkdir()
        program = odd / "config_program"
        shutil.copy(PROGRAM, program)
        script = f'eval "$({quoted(str(program))} --shell-completion=bash)"; printf "%s" "${{_audyn_programs[0]}}"'
        process = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(process.stdout, str(program))

    def test_keys_in_an_interactive_bash(self):
        """Presses the tabulator in a terminal."""
        child, terminal = pty.fork()
        # Wide enough for any path: a line that is too long would be scrolled.
        if child == 0:
            os.environ.update({"PS1": "$ ", "TERM": "dumb", "INPUTRC": "/dev/null", "HISTFILE": "/dev/null"})
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])

        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 1000, 0, 0))

        def until(text, timeout=20):
            seen = ""
            deadline = time.monotonic() + timeout
            while text not in seen and time.monotonic() < deadline:
                if select.select([terminal], [], [], 0.1)[0]:
                    seen += os.read(terminal, 4096).decode()
            self.assertIn(text, seen)

        try:
            os.write(terminal, f'eval "$({PROGRAM} --shell-completion=bash)"; echo rea""dy\n'.encode())
            until("ready\r\n")
            os.write(terminal, f"{PROGRAM} -cp conf optimizer=s\t".encode())
            until("optimizer=sgd ")
            os.write(terminal, b"optimizer.mo\t1 --cf\t")
            until("optimizer.momentum=1 --cfg ")
            os.write(terminal, b"job -p optimizer.mom\t\n")
            until("\r\n1\r\n")
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(terminal)

    def test_zsh_reads_the_script(self):
        script = f'autoload -Uz compinit; compinit -u -d {self.folder}/dump; ' \
                 f'eval "$({PROGRAM} --shell-completion=zsh)"; print -r -- $_comps[config_program]'
        zsh, prefix = "zsh", ""
        if root := os.environ.get("AUDYN_ZSH_ROOT"):  # Debian's packages, unpacked there
            zsh = f"{root}/bin/zsh"
            prefix = f"module_path=({root}/usr/lib/*/zsh/*(N/)); fpath=({root}/usr/share/zsh/functions/**/*(/N)); "
        elif not shutil.which(zsh):
            self.skipTest("zsh is not installed")
        process = subprocess.run([zsh, "-f", "-c", prefix + script], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual((process.stdout, process.stderr), ("_audyn_complete\n", ""))


class Speed(Folder):
    def test_a_whole_program_takes_below_five_milliseconds(self):
        def seconds():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            run("--cfg", "job", "seed=3", "optimizer=sgd")
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

        # Processor time, and the least of several: the machine does other things too.
        self.assertLess(min(seconds() for _ in range(30)), 0.005)


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv[:1])
