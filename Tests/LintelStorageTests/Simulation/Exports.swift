// The simulated disk, the sample rows and how rows are compared are wanted by every file here.
@_exported import LintelSimulation
