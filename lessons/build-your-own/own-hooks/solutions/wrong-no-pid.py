import json
import subprocess

from container import ContainerError


def state_for(c, status):
    state = {"ociVersion": c.config["ociVersion"], "id": c.id, "status": status, "bundle": c.bundle}
    return json.dumps(state)


def run_hooks(c, name, status):
    for hook in c.config.get("hooks", {}).get(name, []):
        environment = {}
        for pair in hook.get("env", []):
            key, _, value = pair.partition("=")
            environment[key] = value
        args = hook.get("args") or [hook["path"]]
        try:
            subprocess.run(
                args, executable=hook["path"], env=environment, input=state_for(c, status), text=True,
                timeout=hook.get("timeout"), check=True,
            )
        except subprocess.CalledProcessError as error:
            raise ContainerError(f"the {name} hook {hook['path']} ended with {error.returncode}") from None
        except subprocess.TimeoutExpired:
            raise ContainerError(f"the {name} hook {hook['path']} took too long") from None
        except OSError as error:
            raise ContainerError(f"the {name} hook {hook['path']}: {error.strerror}") from None
