"""`SourceFault`: a file is not what it should be. The text is one line that names file and line."""


class SourceFault(Exception):
    pass
