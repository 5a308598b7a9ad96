package limits

// Caps of the server, and the defaults of those that whoever runs it may change.
const (
	// ServeImageBytes is the largest encoded photograph that is taken over HTTP.
	ServeImageBytes = 32 << 20
	// ServeImages is the largest number of photographs of one request.
	ServeImages = 16
	// ServeBodyBytes is the largest body of one request.
	ServeBodyBytes = 64 << 20
	// ServeBodies is how many bytes of bodies and answers of all requests may be
	// in memory; they count as they arrive, not as they are announced.
	ServeBodies = 256 << 20
	// ServePixels is how many pixels of photographs may be decoded at a time.
	ServePixels = 2 * ImagePixels
	// ServeQueue is how many requests may wait.
	ServeQueue = 100
	// ServeSeconds is how long a request may take, from its first byte to its
	// answer.
	ServeSeconds = 30
	// ServeStallSeconds is how long a client may send or take nothing.
	ServeStallSeconds = 10
	// ServeHandles is how many bytes encoded photographs may keep for later
	// questions.
	ServeHandles = 256 << 20
	// ServeHeaderBytes is the largest header of a request.
	ServeHeaderBytes = 16 << 10
	// ServeConnections is how many connections are open at a time.
	ServeConnections = 16_384
	// ServeScores is the largest number of class scores of one answer (64 MiB of
	// float32, before base64).
	ServeScores = 1 << 24
	// ServeFields is the largest number of fields of a form that are no
	// photographs, ServeFieldBytes the largest of them.
	ServeFields     = 64
	ServeFieldBytes = 512 << 10
	// ServeTexts is the largest number of texts of one request.
	ServeTexts = 256
	// LabelStudioTasks is the largest number of tasks of one request of Label
	// Studio; LabelConfigBytes is its largest labelling configuration.
	LabelStudioTasks = 256
	LabelConfigBytes = 256 << 10
)
