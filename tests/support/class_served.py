"""A class's server, its places this machine, and what tests do on its pages."""

from contextlib import ExitStack

from selenium.webdriver.common.by import By

from dockerlab.classroom.app import application
from dockerlab.serve.door import Door
from dockerlab.serve.server import listening, serving
from support.class_places import FOLDER, STUDENTS, Places, room

SCREEN = "return document.querySelector('.xterm-rows')?.innerText ?? ''"


class Served:
    """A class's server, which can be ended and started again on its port."""

    def __init__(self, folder, lab=FOLDER, students=STUDENTS, **door):
        self.folder, self.places, self.lab = folder, Places(folder), lab
        self.students, self.door = students, door
        self.port, self.stack = 0, ExitStack()

    def start(self):
        on = listening("127.0.0.1", self.port)
        self.port = on.getsockname()[1]
        self.room = room(self.folder, self.places, lab=self.lab, students=self.students)
        door = Door(**self.door)
        self.stack.enter_context(
            serving(lambda ending: application(self.room, ending, door.trust), on, door, sockets=True)
        )

    def stop(self):
        self.stack.close()

    def link(self, who):
        path = f"s/{who}" if who else "teacher"
        return f"http://127.0.0.1:{self.port}/{path}/?token={self.room.enrolled.tokens[who]}"


def text(browser, identity):
    return browser.driver.find_element(By.ID, identity).text


def type_in(browser, keys):
    browser.driver.find_element(By.CSS_SELECTOR, ".xterm-helper-textarea").send_keys(keys)
