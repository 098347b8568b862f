"""A program on a pseudo-terminal that can be ended for certain."""

import os
import signal

import pexpect


class Child(pexpect.spawn):
    """pexpect's, but for its end."""

    def end(self):
        """Kill it with all that it started, and wait until it is gone. (close()
        gives up 0.1 s after SIGKILL, and a busy host may need longer.)"""
        if self.isalive():
            os.killpg(self.pid, signal.SIGKILL)
            self.wait()
        self.close()
