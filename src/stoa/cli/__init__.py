"""The command line: ``stoa``, the institution's own hands on its own folder.

Owns: commands, their help, what they print (people) and answer (``--json``), and exit codes: 0 done, 1 refused, 2 used
wrongly, 3 a fault. Promises: an error names the field or file and what to do; no command starts by importing a server.
Does not own any meaning: it calls the rooms below.
"""
