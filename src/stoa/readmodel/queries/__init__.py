"""Questions that people ask of the views, and typed answers, one file a domain.

Every function takes a connection of ``Views.read``, so that several questions of one page see the same block. Accounts
and hashes come as bytes and are answered as text: addresses and hexadecimal. Times are milliseconds, units and money
integers in the smallest unit. Every list has a bound and says where it goes on. Who may ask what is for the doors.
"""
