"""The sample organization: Tidewater Maps, an invented company with a bill worth explaining.

The demo, the tests and the pictures in the docs all show this one company, so that what they
show is always true of the code. It has two halves:

* the company: who works there, which projects and keys exist, what they spend each day, and the
  incidents planted in that spending, with their exact days, ids and dollars (`company/events.py`);
* the wire: an application that answers requests for costs, usage and lists the way the vendor does,
  with its oddities and, on request, its failures (`api/`, `faults/`).

What does not belong here: anything a real organization needs, any rule about spending, and any
reading of a clock, a file or the environment. "Today" and "now" are always given by the caller.
"""
