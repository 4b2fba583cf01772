"""What runs a network: boards, and what stands in for one, behind the protocol of `backends.board_backend`.

`registry` lists them. Each is a module or package of its own, and no other module of deployment knows any of them.
"""
