import json
import os


def load_config(c):
    with open(os.path.join(c.bundle, "config.json")) as file:
        c.config = json.load(file)
    c.rootfs = os.path.realpath(os.path.join(c.bundle, c.config["root"]["path"]))
