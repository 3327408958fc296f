"""What is said of a host that did not answer `down`."""

from support.labs import lab, running

from dockerlab.plan.remains import remains

LAB = lab("""
    hosts: {vm0: , vm1: , vm2: }
    networks: {front: {subnet: 10.9.0.0/24}, wide: {driver: overlay, subnet: 10.50.0.0/24}}
    containers:
      near: {host: vm0, networks: [front]}
      far: {host: vm1, networks: [front, wide]}
    """)


def ours(labels):
    return labels.get("dockerlab.lab") == "demo"


def test_by_the_definition():
    """The definition names the containers, the networks and the part in the Swarm that a host may have."""
    told = remains("vm1", LAB, {}, ours)
    assert told == "vm1: by the definition it may still have container far, network front, its part in the Swarm"
    assert remains("vm2", LAB, {}, ours) == "vm2: by the definition there is nothing on it"


def test_by_the_other_hosts():
    """Without the definition, what the other hosts had is named, and not taken for what this one has."""
    snapshots = {"vm0": running(LAB)["vm0"].snapshot()}
    told = remains("vm1", None, snapshots, ours)
    assert told.startswith("vm1: without the definition it is not known what it has; there was container near on vm0")
    assert "network front on vm0" in told
    assert remains("other", LAB, snapshots, ours).startswith("other: without the definition")


def test_nothing_to_go_by():
    """Where nobody knows anything, it is said so."""
    assert remains("vm1", None, {}, ours).startswith("vm1: it is not known whether it has anything")


def test_many():
    """Of many objects some are named, and the others counted."""
    many = lab("containers: {c: {replicas: 40}}")
    assert remains("local", many, {}, ours).endswith(" and 30 more")
