"""The images of an instance: what a lab builds is built for each student, under the student's own name. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from dockerlab.lab.image import BuiltImage
from dockerlab.lab.model import Lab


def own_image(lab: Lab, student: str, image: str) -> str:
    """Return what an image is called in the instance: another name where the lab builds it, else the same."""
    name = lab.built(image)
    return image if name is None else f"{student}-{name}"


def own_images(
    lab: Lab, student: str, containers: Mapping[str, str], hosts: Mapping[str, str]
) -> dict[str, BuiltImage]:
    """Return the images to build for a student; `containers` and `hosts` say what the lab's are called there."""

    def called(image: str) -> str:
        return own_image(lab, student, image)

    found: dict[str, BuiltImage] = {}
    for name, spec in lab.images.items():
        expect = spec.expect.model_copy(
            update={
                "shares": {
                    called(other): called(bound) if isinstance(bound, str) else bound
                    for other, bound in spec.expect.shares.items()
                },
                "unchanged_by": tuple(containers[container] for container in spec.expect.unchanged_by),
            }
        )
        places = None if spec.hosts is None else tuple(hosts[host] for host in spec.hosts)
        found[called(name)] = spec.model_copy(update={"base": called(spec.base), "hosts": places, "expect": expect})
    return found
