# El informe en español. Los nombres de los mensajes y de los { $lugares } no cambian; lo demás se
# puede editar.

## Títulos de las secciones
section-summary = Veredicto
section-service = El servicio
section-answer = ¿Se multiplica la memoria por las peticiones?
section-memory = En qué se va la memoria
section-ram = RAM según las peticiones simultáneas
section-scenario = Escenarios
section-formula = La fórmula
section-limits = Qué cabe en cada tamaño de máquina
section-users = Usuarios simultáneos
section-cpu = CPU y tiempo de respuesta
section-load = Con carga
section-mix = Clases de peticiones
section-volume = Configuración por volumen
section-workers = Un proceso o varios
section-antipatterns = Qué multiplica la memoria
section-topologies = Otras topologías
section-workload = Su carga real
section-storage = Almacenamiento
section-network = Datos de una petición
section-traffic = Tráfico mensual
section-tiers = Máquinas en venta
section-upgrade = Opciones
section-tips = Qué ahorraría
section-warnings = Avisos y notas
section-monitoring = Supervisión
section-trust = Hasta dónde fiarse
section-conclusion = Conclusión
section-compare = Comparación

## Gráficos
chart-memory = En qué se va la memoria
chart-ram = RAM según las peticiones simultáneas
chart-load = Peticiones por segundo y tiempo de respuesta según las peticiones simultáneas
chart-latency = Tiempo de respuesta según las peticiones por segundo
chart-tiers = Cuánto ocupa el servicio cargado en cada máquina
chart-compare = RAM con diez peticiones simultáneas
axis-ram = RAM ({ $unit })
axis-requests = peticiones simultáneas
axis-load = peticiones por segundo; segundos
axis-rate = peticiones por segundo
axis-seconds = segundos
series-high = límite superior del 95 %, o la petición más cara
series-typical = típica
series-measured = medida
series-box = máquina: { $ram }
series-throughput = peticiones por segundo
series-latency = tiempo de respuesta (s)

## Palabras
requests = { $n ->
    [0] ninguna petición
    [one] 1 petición
   *[other] { $n } peticiones
}
requests-with = { $n ->
    [one] 1 petición, { $models }
   *[other] { $n } peticiones, { $models }
}
n-times = { $n } × { $each }
times = { $n } × { $each }
about = unos { $value }
a-month = { $amount } al mes
base-and-buffers = { $base } + { $buffers } de búferes
box-ram = { $ram } de RAM
box-disk = { $disk } de disco
tag-lazy = carga diferida
footnotes = Dicho de otro modo
note-stated = Se afirma { $stated }; lo que se sigue es { $computed } (--explain { $key }).
note-stated-at = { $at } afirma { $stated }; lo que se sigue es { $computed } (--explain { $key }).
source-measured = medido
source-fitted = ajustado
source-extrapolated = extrapolado
source-declared = declarado
source-assumed = supuesto
status-insufficient = INSUFICIENTE
status-marginal = JUSTO
status-sufficient = SUFICIENTE
status-excellent = EXCELENTE
status-unknown = DESCONOCIDO
status-marked = { $mark } { $status }
resource-disk = Disco
resource-bandwidth = Transferencia
demand-waits = espera
demand-low = baja
demand-medium = media
demand-high = alta
demand-very-high = muy alta
load-low = baja
load-manageable = manejable
load-tight = cerca del límite
load-too-much = más de lo que dan las CPU
while-loading = mientras cargaba los modelos
with-requests = { $n ->
    [one] con 1 petición en curso
   *[other] con { $n } peticiones en curso
}
by-the-kernel = , como hace el núcleo cuando falta memoria

## Columnas
column-part = Parte
column-ram = RAM
column-range = Intervalo
column-remark = Nota
column-source = Origen
column-requests = Peticiones
column-base = Base
column-buffers = Búferes
column-typical = Típica
column-need = Límite necesario
column-box = RAM de la máquina
column-loaded = Cargado
column-available = Libre
column-holds = Caben
column-holds-mix = … de la mezcla
column-plan-with = Plan
column-fixed = Fijo
column-users = Usuarios
column-full = RAM ocupada entonces
column-at-once-cpu = A la vez
column-result = Resultado
column-stage = Etapa
column-demand = Demanda de CPU
column-time = Tiempo
column-share = Parte
column-cpu = CPU
column-cpus = CPU
column-rps = Peticiones por segundo
column-rps-here = Peticiones por segundo, aquí
column-rpm = De una en una
column-best = Óptimo en curso
column-useful = Útil hasta
column-response = Respuesta a solas
column-rate = Tasa
column-busy = CPU ocupadas
column-mean = Tiempo medio
column-p50 = p50
column-p95 = p95
column-p99 = p99
column-in-flight = Simultáneas
column-often = El 99,9 % hasta
column-exceeds = Sobre la RAM, al día
column-all-run = Todas admitidas
column-limited = Con el límite
column-saves = Ahorra
column-request = Petición
column-ram-each = RAM de cada una
column-cpu-time = Tiempo de CPU
column-topology = Topología
column-up-to = Hasta
column-times = Veces
column-checked = Previsto, comprobado
column-size = Tamaño
column-data = Datos
column-each-request = Cada petición
column-metric = Métrica
column-limit = Alarma en
column-predicted = Previsto
column-change = Cambio

## Resumen
beside-assumed = Se suponen, pues nadie los dio: { $what }.
beside-one-step = Una ejecución de { $model } es un paso de una petición que da muchos ({ $port }).
beside-model-alone = Se miden los modelos, y no el proceso del servidor que los rodea: añádalo con --program python-fastapi, node o su tamaño, como 120M.
summary-not-checked = La previsión no se comprobó con una concurrencia distinta de las del ajuste: no se conoce su error.
fact-title = En breve
fact-deployment = Despliegue
fact-version = Versión
fact-date = Fecha
fact-purpose = Propósito
fact-script = Programa
fact-topology = Topología
fact-models = Modelos
fact-always = siempre cargado
fact-late = lo carga la primera petición que lo necesita
fact-ram = RAM
fact-base = Base ({ $models })
fact-base-alone = Base
fact-each = Por petición simultánea
fact-limits = Límites seguros en { $ram }
fact-most = Máximo simultáneo
fact-recommended = Simultáneas recomendadas

## Respuesta y conclusión
answer-no = No. RAM = base + N × búfer: solo el búfer se multiplica por las peticiones simultáneas.
answer-wrong = ✘ Incorrecto: un proceso entero por petición
answer-right = ✔ Correcto: una base, y un búfer por petición
answer-reason = Los modelos se cargan una sola vez y todas las peticiones los usan.
conclusion-wrong = No: { $n } peticiones no son { $total }.
conclusion-right = { $n } peticiones son { $range }:
conclusion-base = compartido: { $base }, una sola vez
conclusion-buffers = búferes: { $n } × { $each } = { $buffers }
conclusion-total = en total: { $total }
conclusion-multiplied = Solo se multiplica lo que cada petición tiene para sí: su entrada, los tensores intermedios, su salida.
conclusion-box = { $ram } de RAM: { $status }
conclusion-holds = Por RAM caben, típicamente, { $n } peticiones simultáneas.
conclusion-cpu = En la práctica el límite son las CPU ({ $rate }), no la RAM.
conclusion-cpu-unknown = En la práctica el límite son las CPU, no la RAM.
conclusion-ram = El límite es la RAM, no las CPU.
conclusion-shared = Todas las peticiones comparten una copia de cada modelo: el servicio está protegido contra multiplicarlo.

## Memoria
memory-shared = Compartido por todas las peticiones
memory-request = Cada petición simultánea
memory-request-stages = Cada petición, etapa por etapa
memory-runtime = Base sin modelos
memory-model = modelo { $name }
memory-cache = caché de modelos
memory-models = Modelos en memoria
memory-total = Total compartido
memory-sum = Suma de las partes
memory-each = Cada petición
memory-typical = Cada petición, típicamente
memory-times-file = { $times } × su fichero de { $file }
memory-stages = Las etapas se suceden y comparten memoria, así que no suman lo que añade una petición.
part-program = programa
part-server = proceso del servidor: { $program }
part-not-installed = sin instalar aquí: { $what }
part-service = servicio antes de su primera petición
part-kept = retenido tras las primeras peticiones
part-accumulated = acumulado durante las primeras { $n } peticiones
part-kernel = núcleo: tablas de páginas, pilas

## RAM
ram-title = Todos los modelos cargados
ram-title-live = RAM según las peticiones en curso
ram-title-of = Cargado: { $models }
ram-constant = La base es siempre { $base }; solo crecen los búferes.
ram-line = RAM = base + N × búfer = { $base } + N × { $buffer } (95 %: { $bases }; { $buffers })
ram-line-declared = RAM = base + N × búfer = { $base } + N × { $buffer } (cada petición { $buffers })
ram-limit = La carga alcanza { $peak }. Límite para { $n } simultáneas: { $limit } para ir sin estorbos; por debajo de { $kill } el núcleo mata el proceso.
ram-limit-declared = Límite para { $n } simultáneas: { $limit }, con el coste más alto de lo declarado.
knee-workers = Base y búfer son de los { $n } procesos juntos, desde { $n } peticiones: una en cada uno. Menos ocupan tanto como { $n }, porque cada proceso retiene lo de su primera.
knee-sessions = La recta vale desde { $n } peticiones, cuando cada sesión tiene una y las demás esperan. Menos no ocupan más que la recta.
remark-idle = en reposo: cargado y esperando
remark-before-late = antes de la carga diferida
remark-after-late = en reposo, todo cargado
remark-below = las CPU aún no están ocupadas
remark-best = óptimo
remark-useful = útil
remark-queues = { $n ->
    [one] 1 solo hace cola
   *[other] { $n } solo hacen cola
}
remark-typical = un momento típico
remark-times = { $n } búferes
remark-high = empieza la carga alta
remark-very-high = carga muy alta
remark-extreme = extremo, poco probable
remark-this-box = ◀ esta máquina
remark-this-box-none = ◀ esta máquina: ni una
remark-none = ni una
scenario-one = Todos los modelos cargados
scenario-live = El servicio y sus peticiones
scenario-of = Escenario { $n }: { $models }
scenario-recommended = Recomendado mientras estos modelos respondan a la mayoría de las peticiones: es lo que menos RAM ocupa.
scenario-linear = La RAM crece en línea recta con las peticiones simultáneas: { $buffer } cada una. Los modelos se comparten, en la base de { $base }.
tree-base = Base: cargado, sin peticiones
tree-before-late = Antes de la primera petición que necesita la carga diferida
tree-after-late = Después de ella
tree-idle = en reposo
tree-n = { $n ->
    [one] 1 petición simultánea
   *[other] { $n } peticiones simultáneas
}
tree-base-line = Base
tree-requests = { $n ->
    [one] 1 petición
   *[other] { $n } peticiones
}
tree-kind = { $n } { $name }
tree-total = Total
formula-line = RAM = base + N × búfer
formula-where = Donde
formula-base = base
formula-n = peticiones simultáneas
formula-buffer = búfer
formula-mean = media de la mezcla
formula-examples = Ejemplos
formula-example = { $base } + { $n } × { $buffer }
formula-short = { $base } + N × { $buffer }
mix-split = Las peticiones simultáneas se reparten en enteras según sus partes. Lo que decide cuenta con el coste más alto.
mix-check = A partir de cada clase por separado se previeron { $predicted } para { $together } juntas; otros procesos ocuparon { $observed }: { $error }.
mix-late = Antes de cargar { $models } la base es { $before }; después, { $after }. Las demás tablas son del servicio después de eso.

## Límites y usuarios
limits-columns = «Caben» es floor((RAM − base) / búfer) con el búfer típico; «Plan» es lo que cabe con el coste más alto, incluidas la carga y una ráfaga tras un reinicio.
binding-cpu = El límite son las CPU, no la RAM: en la RAM caben { $holds } a la vez, y más allá de { $useful } solo hacen cola.
binding-ram = El límite es la RAM: caben { $holds } a la vez, y las CPU podrían con { $useful }.
users-oom = sin memoria con la primera petición
users-may-oom = sin memoria con peticiones caras
users-light = suficiente para poco tráfico
users-moderate = bien para un tráfico moderado
users-heavy = bien para mucho tráfico
users-note = De la petición más cara a la más barata, junto a lo que siempre está ocupado en su extremo alto. «A la vez» es lo que las CPU hacen sin cola.
verdict-ram = { $has } de RAM: { $status }
verdict-cpu = { $has }: { $status }
verdict-storage = { $has } de disco: { $status }
verdict-bandwidth = { $has } al mes: { $status }

## CPU
cpu-stages = Una petición
cpu-startup = Carga de los modelos
cpu-once = una vez, al arrancar
cpu-external = espera a otro servicio: ocupa memoria, no CPU
cpu-total = Total de una petición
cpu-cost = { $cpu } de tiempo de CPU por petición bajo carga (95 %: { $range }), { $alone } a solas.
cpu-cost-declared = { $cpu } de tiempo de CPU por petición; { $alone } a solas, esperas incluidas.
cpu-one = Una CPU
cpu-latency = Tiempo de una petición
cpu-throughput = Peticiones por segundo
cpu-best = Óptimo en curso
cpu-useful = Útil hasta
cpu-counts = Según el número de CPU
cpu-beyond = Más allá de lo útil (supuesto: dos veces y media el óptimo) las peticiones esperan en cola y ninguna acaba antes.
cpu-reached = Lo máximo alcanzado son { $rate }, con { $n } en curso (medido). Lo demás se calcula del tiempo de CPU de una petición.
cpu-reached-less = Lo máximo alcanzado son { $rate }, con { $n } en curso (medido), donde su tiempo de CPU por sí solo permitiría { $computed }: otra cosa lo frena, como un cerrojo o aquello que espera. Cuente con lo medido.
cpu-box = Con { $cpus }: { $rate } ({ $range }); una petición a solas tarda { $alone }. Con { $useful } en curso, cada una tarda { $response }.

## Volumen
volume-below = { $name }: hasta { $most } peticiones al día
volume-between = { $name }: de { $least } a { $most } peticiones al día
volume-above = { $name }: más de { $least } peticiones al día
volume-any = { $name }
volume-assumed = Estas configuraciones son un ejemplo (supuesto): `volumes:` en un perfil dice las suyas.
volume-container = Contenedor
volume-instance = Instancia
volume-instances = Instancias
volume-all-ram = RAM total
volume-config = Configuración
volume-models = Modelos
volume-concurrency = Máximo simultáneo
volume-useful = útil: { $useful }
volume-queue = Cola
volume-unlimited = sin límite: las peticiones esperan
volume-usage = Uso de RAM
volume-idle = En reposo
volume-idle-after = En reposo, con carga diferida hecha
volume-peak = Pico ({ $n } simultáneas)
volume-margin = Margen de seguridad
volume-none = ninguno: faltan { $short }
volume-option = Opción { $letter }: { $kind }
volume-horizontal = escalado horizontal
volume-vertical = escalado vertical
volume-any-option = Ninguna es más resistente que otra: tome la más barata.
volume-recommended = Recomendada: la opción { $letter }. Sobrevive a la pérdida de una máquina, con { $left } restantes.

## Procesos y otras topologías
workers-single = ✔ Un proceso, modelos compartidos
workers-several = { $n ->
    [one] ✘ { $count } procesos, 1 petición
   *[other] ✘ { $count } procesos, { $n } peticiones
}
workers-shared = Compartido
workers-worker = Proceso { $i }
workers-waste = Desperdicio: { $bytes } ({ $share } más de RAM), que es (procesos − 1) × base = { $closed }
workers-nothing = Las mismas CPU dan las mismas peticiones por segundo: más procesos no aportan nada aquí y ocupan memoria. Donde un cerrojo del intérprete o un fallo los justifiquen, este es su precio.
workers-measured = Lo que los procesos comparten de los ficheros no se cuenta aquí; «Otras topologías» lo tiene, medido si --topologies workers los ejecutó.
topologies-title = Con { $n } en curso
topologies-checked = con { $n }: { $predicted } por { $observed } ({ $error })

## Antipatrones
habits-singleton = Un modelo para todas las peticiones
habits-per-request = Un modelo por petición
habits-per-request-cost = { $n } peticiones a la vez: { $copies } de copias, { $total } con sus búferes
habits-right-cost = { $n } peticiones a la vez: { $total }
habits-workers = Un proceso por núcleo
habits-workers-wrong = { $count } procesos
habits-workers-right = Un proceso
habits-loaded = Cargado { $count } veces. Con { $n } peticiones, como abajo: { $total }
habits-one-copy = Una copia
habits-locks = Sin el cerrojo, dos primeras peticiones a la vez lo cargarían dos veces. Los hilos lo comparten; el recargador de un framework o un segundo proceso, no.
code-right = # correcto: se carga una vez
code-wrong = # incorrecto: se carga en cada petición
code-lock = {"    "}with loading:  # dos primeras peticiones no deben cargarlo dos veces
code-once = # { $bytes }, UNA VEZ
code-reuse = # la misma instancia
code-first = # carga: { $bytes }
code-second = # reutiliza: { $bytes } más
code-every-time = # { $bytes } CADA VEZ
code-two = # una segunda petición a la vez: { $bytes } en total
code-many = # { $n } peticiones: { $bytes }
code-each-worker = # incorrecto: cada proceso carga el suyo
code-one-process = # correcto: un proceso, los hilos lo comparten

## Carga
workload-rates = Peticiones
workload-per-day = al día
workload-average = por segundo, promedio
workload-hours = en { $hours } h del día
workload-peak = por segundo, pico
workload-flight = Simultáneas
workload-residence = tiempo en el servicio
workload-average-n = promedio
workload-peak-n = pico
workload-ram = RAM en el pico
workload-enough = { $ram } bastan: quedan libres { $bytes }, { $of_ram } de la máquina, { $of_need } de lo necesario (la máquina es { $ratio } de ello)
workload-short = { $ram } no bastan: hacen falta { $need }
workload-busy-average = Promedio, { $rate }: CPU ocupadas al { $busy } ({ $word })
workload-busy-peak = Pico, { $rate }: CPU ocupadas al { $busy } ({ $word })
queue-how = Las peticiones llegan al azar (Poisson). Simultáneas: si todas se admiten a la vez y comparten las CPU; exacto para peticiones de cualquier duración.
queue-how-quota = Las peticiones llegan al azar (Poisson). Simultáneas: si todas se admiten a la vez y comparten las CPU, cuya cuota se gasta en periodos de 100 ms; simulado.
queue-times = Tiempos al 50, 95 y 99 %: por orden de llegada tras el límite de abajo, simulados con el tiempo de CPU de las peticiones tal como se midió cuando llegaban al azar.
queue-times-declared = Tiempos al 50, 95 y 99 %: por orden de llegada tras el límite de abajo, simulados.
queue-beyond = más de lo que dan las CPU
queue-never = ninguna
queue-objective-kept = { $name } en { $latency } se cumple hasta { $rate }
queue-objective-broken = { $name } en { $latency } se cumple solo hasta { $rate }, menos de lo que se preguntó
queue-objective-never = { $name } en { $latency } no se cumple nunca: una petición sola tarda más
queue-admission = Qué admitir
queue-limit = En marcha a la vez, un semáforo de
queue-queue = Esperan como máximo
queue-queue-buys = la siguiente se rechaza y sabe al momento que no podría ser atendida a tiempo
queue-timeout = Tiempo límite de las que esperan
queue-timeout-buys = nada de CPU para respuestas que ya nadie espera
queue-too-fast = { $rate } es más de lo que dan las CPU: la cola crece mientras dure, y sin límite la RAM con ella
queue-safe = A { $rate } cabe en la RAM lo que venga, con límite o sin él
queue-needs-limit = A { $rate } la probabilidad de que en un día haya más a la vez de lo que cabe en la RAM es { $chance }; con el límite no hay ninguna
queue-held-title = RAM con { $n } en marcha como máximo y las demás esperando
queue-held = RAM = base + en marcha × inferencia + en espera × retenido: lo que espera retiene su cuerpo y la imagen decodificada, no lo que piden los modelos.

## Almacenamiento y red
storage-models = Modelos
storage-application = Aplicación
storage-dependencies = Dependencias
storage-system = Entorno y sistema
storage-user = Datos de usuarios
storage-remote = en otra parte
storage-sum = Subtotal
storage-sums = En total
storage-core = Aplicación y modelos
storage-growth = Margen para crecer
storage-recommended = Recomendado
storage-undeclared = Solo se conocen los ficheros de los modelos: `storage:` en un perfil dice el resto.
network-inbound = Recibido
network-outbound = Enviado
network-times = × { $n } { $note }
network-total = Cada petición
network-mean = De media { $mean_in } de entrada y { $mean_out } de salida; los meses se calculan con el máximo, { $high_in } y { $high_out }.
network-most = Suficiente para { $n } peticiones al mes, con y sin páginas; { $outbound } donde solo cuenta lo enviado.
traffic-scenario = { $name }: { $users } usuarios al mes
traffic-pages = Páginas
traffic-views = { $n } vistas
traffic-month = al mes
traffic-note = Los GB son decimales. Muchos proveedores cuentan solo lo enviado.

## Máquinas
tiers-title = { $n }. { $name }
tiers-assumed = Los precios son de tarifa de las máquinas virtuales básicas de un proveedor (supuesto): `tiers:` en un perfil dice los suyos.
tiers-for = Adecuada para
tiers-users-below = hasta { $most } usuarios al mes
tiers-users-between = de { $least } a { $most } usuarios al mes
tiers-users-from = desde { $least } usuarios al mes
tiers-price = Precio al mes
tiers-none = En la RAM no cabe ninguna petición{"."} ({ $n } a la vez; por RAM { $holds })
tiers-single = Una petición a la vez ({ $n }); en la RAM cabrían { $holds }
tiers-at-once = { $n } peticiones a la vez; en la RAM cabrían { $holds }
tiers-slow = Lenta: { $time } a solas ({ $rate } de una en una)
tiers-response = { $time } a solas ({ $rate } de una en una)
tiers-crash = Muere bajo carga: { $n } en curso ocupan { $used } de la RAM
tiers-tight = Poco margen: { $n } en curso ocupan { $used } de la RAM
tiers-room = Margen para crecer: { $n } en curso ocupan { $used } de la RAM
tiers-choice = Para { $users } usuarios al mes: { $name }
tiers-no-choice = Para { $users } usuarios al mes no basta ninguna
tiers-least-best = La menor que sirve: { $least }. La menor con holgura: { $best }.
tiers-least = La menor que sirve: { $least }; ninguna sirve con holgura.
tiers-too-small = No sirve ninguna.
tiers-used = ocupado bajo carga
tiers-free = libre
tiers-missing = falta
upgrade-not-ready = { $ram }: NO APTA PARA PRODUCCIÓN
upgrade-marginal = { $ram }: con poco margen
upgrade-ready = { $ram }: apta para producción
upgrade-minimum = Opción { $letter }: lo mínimo, { $name }
upgrade-recommended = Opción { $letter }: recomendada, { $name }
upgrade-from-to = De → a
upgrade-arrow = { $from } → { $to }
upgrade-cost = Más al mes
upgrade-now = ahora { $price }
upgrade-result = Resultado
upgrade-gives = { $at_once } a la vez, { $time } cada una
upgrade-keep = Opción { $letter }: conservarla, solo para desarrollo
upgrade-keep-development = desarrollo local
upgrade-keep-testing = pruebas
upgrade-keep-demo = demostraciones
upgrade-keep-not = NO para producción

## Consejos
tips-memory = Memoria
tips-cpu = CPU
tips-storage = Disco
tips-bandwidth = Transferencia
tips-quantize = Pesos en 16 u 8 bits: { $less } menos de { $models }.
tips-lazy = Cargar los modelos con la primera petición que los necesite: { $bytes } menos al arrancar.
tips-lazy-is = La carga diferida espera a que haga falta: { $bytes } menos hasta entonces.
tips-warm-up = Calentar antes de servir: { $bytes } menos con { $n } primeras peticiones a la vez tras un reinicio. --warmed lo deja fuera.
tips-warm-up-nothing = Calentar antes de servir no ahorra RAM: { $n } primeras peticiones a la vez no ocuparon más que en un servicio caliente.
tips-swap = { $bytes } de intercambio absorben un pico; un servicio que vive en él es diez veces más lento.
tips-batch = Lotes pequeños: encolar peticiones y ejecutar unas pocas juntas donde el modelo lo permita. `measure --vary batch=1,4` lo mide.
tips-onnx = ONNX Runtime, de dos a tres veces más rápido según informes: { $time } de CPU, { $rate }. Mídalo antes de creerlo.
tips-settings = Los ajustes de la sesión cambian RAM y tiempo en decenas de por ciento: `measure --vary arena=on,off --vary threads=1,2` los mide.
tips-workers = Hilos antes que procesos: cada proceso más ocupa su propia base de { $base }.
tips-files = La media precisión reduce los ficheros a la mitad: { $less } menos de { $files }.
tips-logs = Rotar los registros a los { $bytes }.
tips-cache = Guardar las entradas preprocesadas solo mientras se usan.
tips-compress = { $name }: un formato de imagen con pérdida y enviado en bytes, unos { $bytes } menos en el mes de más tráfico.
tips-cdn = Ficheros estáticos desde una red de contenidos: { $bytes } menos en el mes de más tráfico.
tips-lazy-images = Cargar las imágenes cuando se van a ver.
tips-assumed = El ahorro se calcula con factores habituales (supuesto); solo una medida lo dice.

## Avisos
warnings-critical = Esta máquina es demasiado pequeña
warnings-notes = Notas
warning-oom = Sin memoria
warning-models = Los modelos ocupan { $bytes }.
warning-runtime = La base sin ellos ocupa { $bytes }.
warning-fixed = Juntos { $bytes }, { $share } de la RAM, antes de cualquier petición.
warning-first = La primera petición necesita { $need } de { $ram }: el núcleo la mata.
warning-swap = Hiperpaginación
warning-swap-slow = Con intercambio una petición tarda unos { $time }.
warning-swap-busy = Las CPU se ocupan de mover páginas.
warning-users = Usuarios simultáneos
warning-users-most = En la RAM caben { $users } a la vez.
warning-no-degradation = Uno más no va más lento: mata el servicio, con todo lo que está en curso.
warning-unstable = Inestabilidad
warning-restarts = Se reinicia una y otra vez y pierde lo que estaba en curso.
warning-experience = Los usuarios ven errores, no lentitud.
note-synthetic-weights = Los pesos son aleatorios, hechos para la arquitectura y sin entrenar. Eso no cambia ni la RAM ni la CPU, porque las formas, los operadores y los tipos son los del modelo entrenado, los cálculos densos en 32 bits tardan lo mismo con cualquier valor y ninguno es un número desnormalizado, que sería lento. Solo se pierde el significado de las respuestas. --model FICHERO mide los pesos de usted.
note-partial = La medida se detuvo antes de acabar: hay menos procesos y menos peticiones simultáneas detrás de estas cifras, así que son menos seguras. --remeasure vuelve a medir.
note-killed = El sistema mató un proceso medido { $when } (señal { $signal }{ $by }): las cifras descansan en lo medido antes. En una máquina con más RAM libre, --remeasure llega más lejos.
note-topology-killed = La topología { $topology } murió { $when } (señal { $signal }): no cabe en esta máquina, y lo que se dice de ella descansa en lo medido antes.
note-bends-up = La RAM no crece en línea recta: cada petición más cuesta más que la anterior, y la curva se aparta hasta { $share } del incremento. Más allá de lo medido el plan es probablemente demasiado bajo. Un --max-time mayor con --remeasure mide más.
note-bends-down = La RAM no crece en línea recta: cada petición más cuesta menos que la anterior, y la curva se aparta hasta { $share } del incremento. Más allá de lo medido el plan es probablemente demasiado alto. Un --max-time mayor con --remeasure mide más.
note-not-flat = El pico { $n ->
    [one] con 1 petición simultánea
   *[other] con { $n } peticiones simultáneas
} aún subía cuando se acabó el tiempo: el verdadero puede ser mayor que el planificado. Un --max-time mayor con --remeasure espera a que se quede quieto.
note-not-checked = El ajuste no se comprobó con una concurrencia de la que no salió, así que no se conoce su error: la medición se detuvo antes, un proceso fue terminado o esta máquina no tenía memoria para ello. --remeasure mide de nuevo.
note-not-tried = La recta salió de todo lo medido, así que nada queda para comprobarla. `mediscope-size verify` ejecuta el servicio en un servidor de este tamaño.
note-extrapolated = La respuesta va más allá de { $n ->
    [one] la petición simultánea que se midió
   *[other] las { $n } peticiones simultáneas que se midieron
}: desde ahí se toma la misma recta. Un --max-time mayor con --remeasure llega más lejos.
note-grows = Su memoria crece { $bytes } con cada petición y no vuelve: ninguna máquina lo aguanta para siempre{ $until }. Lo planificado aquí es sin ello.
note-grows-until = , esta unas { $n } peticiones
note-burst-failed = Una ráfaga de { $n } justo después de arrancar fue demasiado para el servicio ({ $what }): caliéntelo antes de darle tráfico.
note-one-burst = Solo se midió una ráfaga justo después de arrancar, { $n } a la vez: no se sabe cuánto puede diferir la siguiente. Un --max-time mayor (con --remeasure para una huella guardada) mide tres; --warmed planifica para un servicio que responde algunas peticiones antes de recibir tráfico.
note-could-not-stand = El servicio no aguantó { $n } en curso ({ $what }): los números se apoyan en menos.
note-not-the-service = Los procesos medidos no usaron ni tiempo de CPU ni memoria mientras se respondían peticiones: respondieron otros, y nada de esto es del servicio. Nombre lo que sirve: measure --cgroup DIR (el de un contenedor, bajo /sys/fs/cgroup) o --pid PID.
note-heap-follows-ram = { $runtime } ajusta su heap a la RAM que puede usar, y se midió con { $ram }: con otra cantidad ocupa otra. Mídalo dentro del límite que planifica (measure --ram { $size }), o fije el tamaño de su heap.
note-heap-go = Go no recoge basura hasta que el heap se ha duplicado, por poca RAM que haya, y se midió con { $ram }: fije GOMEMLIMIT y mídalo dentro del límite que planifica (measure --ram { $size }).
note-still-accumulates = Su memoria subió { $bytes } en { $n } peticiones y aún no se había estabilizado al acabar el tiempo: un --max-time mayor dice dónde acaba. Lo planificado aquí lo incluye.
note-bodies-used-up = Su memoria subió { $bytes } con cada cuerpo nuevo, y los cuerpos se agotaron tras { $n } peticiones: con más (--body CARPETA) puede seguir subiendo. Lo planificado aquí lo incluye.
note-unexplained = Con { $n } en curso de nuevo después de más ocupó { $seen }, cuando cabía esperar de { $low } a { $high } según las rondas anteriores y lo que dejan las peticiones. Lo planificado aquí es igual de incierto.
note-repeated = Se enviaron los mismos cuerpos una y otra vez: la primera respuesta tomó { $first } y { $firstcpu } de CPU, las siguientes { $later } y { $latercpu }. O guarda las respuestas y los cuerpos nuevos cuestan como el primero, o algo más se hizo una sola vez: cuerpos distintos lo aclaran (--body CARPETA). Lo planificado aquí sale solo de primeras respuestas.
note-tmpfs = { $path }, donde tenía ficheros abiertos, se llenó hasta { $bytes } entretanto. En un contenedor eso se carga al servicio, y aquí no se cuenta: inícielo con esta herramienta como root (-- ORDEN), o nombre su grupo de control (--cgroup).
note-declared-costs = No se midió nada: los costes son los que declara el perfil.
note-validation-failed = El ajuste falló en { $error } con una concurrencia que no había usado, más de lo que permite su intervalo.
note-wide-memory = El límite de memoria solo se conoce con un margen de ± { $share }; una medición más larga (--max-time) lo reduce.
note-wide-cpu = El tiempo de CPU por petición solo se conoce con un margen de ± { $share }; una medición más larga (--max-time) lo reduce.
note-disturbed = { $what }
note-no-room = { $n ->
    [one] 1 petición simultánea habría
   *[other] { $n } peticiones simultáneas habrían
} ocupado más memoria de la que la máquina de medir tenía libre, así que se midieron menos y el resto se extrapola. Una máquina mayor mide más.
note-assumed-shape = El modelo deja formas abiertas y nadie las dio, así que se suponen: { $dims }. La RAM y el tiempo siguen a la forma: dé la de las peticiones con --shape, o en `inputs:` de un perfil.
note-assumed-value = Nadie dio estos números con los que se alimentan las entradas, así que se suponen: { $values }. Una longitud, un recuento o un tamaño puede decidir lo que cuesta una ejecución: dé los de las peticiones con --input NAME=VALUE, o en `inputs:` de un perfil.
note-one-step = Una ejecución de { $model } es un solo paso, como muestra su { $port }, y una petición da muchos: su tiempo es el de todos, y crece lo que guarda de paso en paso. Aquí una petición es un solo paso con las formas dadas: dé la más larga con --shape y multiplique los tiempos por los pasos de una petición.
note-model-alone = Lo que se mide son los modelos, en un proceso pequeño de esta herramienta. El proceso del servidor que los rodea, como un intérprete con un framework web, necesita además memoria propia: --program (`program:` en un perfil) la suma a la base, medida aquí para python-fastapi y node, o como un tamaño, por ejemplo 120M, u 8M para un servicio que es poco más que los modelos.
note-other-cpu = Se midió en otro procesador ({ $cpu }): los bytes valen, pero los tiempos y las peticiones por segundo quizá no. --remeasure mide en este.
note-largest-image = Las peticiones pueden traer imágenes de { $sizes }: todo lo de aquí es para la mayor.
note-more-cpus = Medido en { $n ->
    [one] 1 CPU
   *[other] { $n } CPU
}: que las peticiones por segundo crezcan con las CPU más allá de eso es un supuesto, porque el ancho de banda de la memoria y las cachés se comparten. Mida en una máquina de ese tamaño para saberlo.
note-more-cpus-scaled = Medido en { $n } CPU, que juntas hicieron { $times } veces lo que una. Más allá se supone que cada duplicación pierde lo mismo, y hasta un 5 % más en el extremo bajo (supuesto), porque el ancho de banda de la memoria y las cachés se comparten. Mida en una máquina de ese tamaño para saberlo.
note-threads-above = Una ejecución usa { $n } hilos, más que CPU tiene la máquina: gastan juntos su cuota y esperan todos al siguiente periodo del núcleo, así que las respuestas tardan más. Menos hilos o un --cpus mayor lo evitan.

## Supervisión
watch-memory = # memoria
watch-group = # el grupo que el núcleo hace cumplir (cgroup v2)
watch-disk = # disco
watch-network = # red
watch-log = # registros del servicio
watch-thresholds = Qué vigilar
watch-response = Tiempo de respuesta
watch-response-slow = una petición normal tarda más: esta alarma sonaría sin carga
watch-ok = según lo planificado
watch-memory-share = Memoria
watch-memory-any = del límite de la máquina
watch-memory-within = { $n } en curso quedan por debajo; caben { $most } y ocupan { $full }
watch-cpu-average = CPU, promedio
watch-cpu-peak = CPU, pico
watch-errors = Errores
watch-uptime = Disponibilidad
watch-downtime = pueden faltar { $time } al mes
watch-assumed = Estos límites son los habituales (supuesto): `thresholds:` en un perfil dice los suyos.
watch-prometheus = Como reglas de alerta de Prometheus: --section monitoring --format prometheus.

## Confianza
trust-measured = Medido con N = { $ns } en { $n } procesos, R² = { $r }.
trust-measured-one = Medido con N = { $ns } en un proceso, R² = { $r }. Un proceso no muestra en qué difieren otros: eso se supone.
trust-inside = Solo a partir de los N menores se previó { $predicted } para N = { $n } (95 %: { $range }); otros procesos ocuparon { $observed }, dentro del intervalo: { $error } del total, { $increment } del incremento
trust-outside = Solo a partir de los N menores se previó { $predicted } para N = { $n } (95 %: { $range }); otros procesos ocuparon { $observed }, fuera del intervalo, así que los de aquí pueden ser demasiado estrechos: { $error } del total, { $increment } del incremento
trust-arena = Una ejecución pide a las arenas { $bound } como máximo, las toque enteras o no; oleadas con todas las ejecuciones detenidas a la vez alcanzaron { $reached } por petición, todo incluido, y eso es lo que usa el veredicto.
trust-retained = { $bytes } quedan reservados tras la mayor oleada.
trust-declared = Aquí no se mide nada: son los costes que declara el perfil, y lo que se sigue de ellos. Un veredicto es tan bueno como ellos.
units-binary = Aquí 1 MB son 1024 × 1024 bytes, y 1 GB son 1024 MB.
units-binary-decimal = Aquí 1 MB son 1024 × 1024 bytes. 1 GB de una máquina son 1024 MB; de un total impreso, como lo escribe el autor del perfil, 1000 MB.
units-decimal = Aquí 1 MB son 1 000 000 bytes, y 1 GB son 1000 MB, también de las máquinas.

## Marco
about-measured = { $models ->
    [one] 1 modelo
   *[other] { $models } modelos
}, topología { $topology }, { $threads ->
    [one] 1 hilo
   *[other] { $threads } hilos
} por ejecución{ $settings }{ $image }. ONNX Runtime { $runtime } en { $cpu } ({ $cores ->
    [one] 1 núcleo
   *[other] { $cores } núcleos
}). { $footprint }.
about-live = Un servicio que corre por su cuenta ({ $target }), topología { $topology }. Medido desde fuera en { $cpu } ({ $cores ->
    [one] 1 núcleo
   *[other] { $cores } núcleos
}). { $footprint }.
about-image = ; imagen de la petición { $size } ({ $origin })
about-declared = Costes como los declara el perfil { $name }; no se mide nada.
closing-date = Informe del { $date }.
closing-review = Se debe rehacer: { $review }.
found-box = Esta máquina: { $what }.

## Comparación
compare-base = Base
compare-each = Cada petición
compare-ten = RAM con 10 simultáneas
compare-holds = Peticiones que caben en { $ram }
compare-cpu = Tiempo de CPU de una petición
compare-alone = Tiempo de una petición a solas
compare-rate = Peticiones por segundo con { $cpus }
compare-least = La menor máquina que sirve
compare-best = La menor máquina con holgura
compare-price = Precio al mes con holgura
compare-sources = Orígenes
compare-note = El cambio es de { $from } a { $to }.

## La respuesta
answer-fits = CABE
answer-tight = JUSTO
answer-does-not-fit = NO CABE
answer-unknown = SIN DATOS
decides-memory = la memoria
decides-cpu = las CPU
decides-latency = el objetivo de latencia
decides-disk = el disco
decides-bandwidth = el ancho de banda
confidence-high = confianza alta
confidence-medium = confianza media
confidence-low = confianza baja
verdict-line = { $answer }: { $target } · limita { $binding } · { $confidence }
verdict-line-free = { $answer }: { $target } · { $confidence }
verdict-needs = NECESITA { $what } · { $confidence }
verdict-no-question = Sin objetivo: añada --ram 1G --cpus 1, o --rps 10 para saber lo mínimo que basta
verdict-least = Lo mínimo que basta: { $what }.
verdict-none = Ninguno de los tamaños probados basta.
finding-no-request = No cabe ni una petición: necesita { $limit }, y hay { $ram }.
finding-too-many = { $n } peticiones concurrentes necesitan { $limit }, más de { $ram }.
finding-little-memory = { $n ->
    [one] 1 petición concurrente necesita
   *[other] { $n } peticiones concurrentes necesitan
} { $limit } de { $ram }: queda poco.
finding-memory = { $n ->
    [one] 1 petición concurrente necesita
   *[other] { $n } peticiones concurrentes necesitan
} { $limit } de { $ram }.
finding-below-saturation = En la RAM caben { $n } de las { $busy } peticiones concurrentes que ocupan las CPU: limite la concurrencia a { $n }.
finding-needs-limit = Sin limitar la concurrencia a { $n }, el riesgo de agotar la memoria es del { $risk } al día.
finding-rate-above = { $rate } es más de lo que puede responder: { $most }.
finding-little-throughput = { $rate } ocupa el { $share } de lo que puede responder, { $most }: queda poco.
finding-rate = { $rate } ocupa el { $share } de lo que puede responder, { $most }.
finding-slo-never = Ni siquiera una petición sola cumple el objetivo de latencia.
finding-slo-missed = El objetivo de latencia solo se cumple hasta { $most }.
finding-slo-nearly = El objetivo de latencia se cumple hasta { $most }: queda poco.
finding-slo-met = El objetivo de latencia se cumple hasta { $most }.
finding-too-slow = { $n } peticiones concurrentes tardan { $time } cada una, más que el objetivo de latencia.
finding-quota = Con una cuota de { $cpus }, una petición sola tarda { $time }.
finding-disk = Lo almacenado ocupa { $need }, más que los { $has } del disco.
finding-little-disk = Lo almacenado ocupa { $need } de los { $has } del disco: queda poco.
finding-bandwidth = El mes de más tráfico necesita { $need }, más que los { $has } incluidos.
finding-little-bandwidth = El mes de más tráfico necesita { $need } de los { $has } incluidos: queda poco.
finding-fewer-users = Está pensado para menos de { $users } usuarios al mes.
finding-unknown = Sin veredicto: lo medido no dice lo que cuesta una petición.
memory-line = RAM = base + N × búfer = { $base } + N × { $buffer }. Límite que fijar para { $n ->
    [one] 1 petición concurrente
   *[other] { $n } peticiones concurrentes
}: { $limit }; por debajo de { $threshold } el kernel mata el proceso.
memory-line-declared = RAM = base + N × búfer = { $base } + N × { $buffer }. Límite que fijar para { $n ->
    [one] 1 petición concurrente
   *[other] { $n } peticiones concurrentes
}: { $limit }.
column-concurrent = Concurrentes
column-memory = RAM
column-limit-bytes = Límite
column-per-second = Por segundo
column-response-time = Respuesta
column-fits = Cabe
column-server = Servidor
column-safe = Caben
column-rate-at-slo = A tiempo
column-price = Precio
column-verdict = Veredicto
remark-eager = sin modelos diferidos
remark-idle-short = en reposo
remark-asked = lo pedido
remark-saturation = CPU ocupadas
remark-safe = RAM llena
server-recommended = { $mark } { $answer }, el más barato
next-verify = Después: las mismas opciones tras `mediscope-size verify` lo prueban en un cgroup real. --full lo muestra todo.
next-full = --full lo muestra todo, --section NOMBRE una parte.
next-target = Después: --ram y --cpus preguntan por un servidor, --rps y --slo por una carga. --full lo muestra todo.
column-server-rate = Máximo
queue-limit-takes = con la cola llena { $ram }
finding-slow = Una petición sola tarda { $time }, más que los { $most } a los que el perfil pone una alarma.
