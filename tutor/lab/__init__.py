"""The lab: the place where a learner works, and which leaves nothing behind, however it ends.

Three processes: the *client* (a face's process, many threads), the *guard* (watches, and cleans up when the lab ends) and the
*keeper* (lives in the lab's mount namespace and cgroup and starts the programs there). Guard and keeper are one small program
that imports the standard library only: `client --starts--> guard --forks--> keeper --starts--> engine commands`.
"""
