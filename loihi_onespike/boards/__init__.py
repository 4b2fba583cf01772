"""Boards: their specification, the mapping of a network onto cores, time and energy, and deployment.

    specification < mapping < energy < deployment, sanafe

Each package imports only from those before it.
"""
