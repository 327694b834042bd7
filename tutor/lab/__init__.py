"""The lab: where a learner's containers run. It leaves nothing behind, however it ends.

It has three processes: the *client* (a face's process, with many threads), the *guard* (watches the others, and cleans up when the
lab ends) and the *keeper* (runs in the lab's mount namespace and cgroup, and starts the programs there). Guard and keeper are one
small program that imports the standard library only: `client --starts--> guard --forks--> keeper --starts--> engine commands`.
"""
