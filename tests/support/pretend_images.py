"""The images of an engine that only pretends: each has an ID, a parent, names and labels, and no content."""

from dataclasses import replace
from hashlib import sha256

from dockerlab.lab.container import NODE
from dockerlab.snapshot import ImageState, full_name


class Refused(Exception):
    """What a real engine would not do."""


class Images:
    """What an engine does with images."""

    def __init__(self):
        self.pictures, self.made = {}, 0
        self.add_image((full_name(NODE),))

    def add_image(self, names=(), labels=None, parent=""):
        """Make an image that takes its names from those that had them, and return its ID."""
        self.made += 1
        identifier = f"sha256:{sha256(str(self.made).encode()).hexdigest()}"
        for other in list(self.pictures.values()):
            self.pictures[other.id] = replace(other, names=tuple(n for n in other.names if n not in names))
        self.pictures[identifier] = ImageState(identifier, tuple(names), labels or {}, parent)
        return identifier

    def image_of(self, name):
        """Return the image of an ID or a name; raises Refused."""
        found = self.pictures.get(name) or next((i for i in self.pictures.values() if full_name(name) in i.names), None)
        if found is None:
            raise Refused(f"No such image: {name}")
        return found

    def known(self, name):
        """Return the image of a name, or a nameless one: these engines have whatever a lab does not build."""
        try:
            return self.image_of(name)
        except Refused:
            return ImageState("")

    def _image_inspect(self, argv):
        given = self.words(argv)
        found = self.image_of(given.rest[0])
        return given.one("--format").replace("{{.Id}}", found.id) if ".Id" in given.one("--format") else "CMD []"

    def _commit(self, argv):
        container, *names = self.words(argv).rest
        made = self.containers[container]
        return self.add_image(names, made.labels, made.image_id)

    def _build(self, argv, text):
        given, lines = self.words(argv), text.splitlines()
        base = self.image_of(lines[0].removeprefix("FROM "))
        pairs = (word.strip('"').split('"="') for word in lines[1].removeprefix("LABEL ").split())
        labels = {**base.labels, **dict(pairs)}
        for _ in lines[2:]:
            base = self.pictures[self.add_image((), labels, base.id)]
        return self.add_image(given.get("--tag"), labels | given.pairs("--label"), base.id)

    def _image_rm(self, argv):
        given = self.words(argv)
        for word in given.rest:
            found = self.image_of(word)
            if any(other.parent == found.id for other in self.pictures.values()):
                raise Refused(f"image {word} has dependent child images")
            if any(container.image_id == found.id for container in self.containers.values()):
                raise Refused(f"image {word} is being used by a container")
            del self.pictures[found.id]
            below = self.pictures.get(found.parent)
            if "--no-prune" not in given.flags and below is not None and not below.names:
                self._image_rm([below.id])
        return ""
