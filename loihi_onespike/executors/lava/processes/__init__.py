"""The Lava Processes (interface) and their ProcessModels (behaviour).

They stand in a folder of their own because Lava, when it looks for the models of a Process, executes every module of
the folder that the Process is defined in. Importing it makes way for Lava's own import, so it comes before Lava.
"""

from loihi_onespike.executors.lava.start_method import make_way

make_way()
