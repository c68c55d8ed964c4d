from mtm_core.api.masks import hide as hide
from mtm_core.api.models import load_model as load_model
from mtm_core.api.models import train as train
from mtm_core.api.predictions import reconstruct as reconstruct
from mtm_core.api.scores import evaluate as evaluate
from mtm_core.api.sessions import open_session as open_session
from mtm_core.api.sessions import save_session as save_session
from mtm_core.data.session import Session as Session
from mtm_core.errors import MtmError as MtmError
from mtm_core.masking.spec import MaskSpec as MaskSpec

__version__: str
