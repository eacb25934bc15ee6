public import Lintel
