"""The Lava Processes (interface) and their ProcessModels (behaviour).

They stand in a folder of their own because Lava, when it looks for the models of a Process, executes every module of
the folder that the Process is defined in.
"""
